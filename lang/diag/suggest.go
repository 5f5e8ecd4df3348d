package diag

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// foreign are names that other languages have for what udl calls otherwise.
var foreign = map[string]string{"ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "power": "pow", "fabs": "abs",
	"modulo": "mod", "logistic": "sigmoid", "silu": "swish", "heaviside_step": "heaviside", "size": "length", "numel": "length", "average": "mean",
	"ode45": "DP5", "ode23": "BS3", "RK45": "DP5", "RK23": "BS3", "Dopri5": "DP5", "dopri5": "DP5", "rk4": "RK4", "read_csv": "csv", "tol": "rtol", "reltol": "rtol", "abstol": "atol"}

// Suggest finds the candidate that name was most likely meant to be, "" when none is near.
// Nearness is the optimal string alignment distance (insertions, deletions, substitutions
// and swaps of neighbours; Damerau, Comm. ACM 7, 1964) on lower-case text, so that a slip of
// case alone counts as nothing. About one slip per three characters is forgiven. A name of
// three characters or more also finds a candidate that it begins. The answer does not depend
// on the order of the candidates.
func Suggest(name string, candidates []string) string {
	if name == "" {
		return ""
	}
	if f, ok := foreign[name]; ok && slices.Contains(candidates, f) {
		return f
	}
	low := []rune(strings.ToLower(name))
	limit := max(1, len(low)/3)
	best, bestScore := "", 0
	var row [3][]int
	for _, c := range candidates {
		if c == "" || c == name {
			continue
		}
		cl := []rune(strings.ToLower(c))
		d := distance(low, cl, limit, &row)
		switch {
		case d <= limit && d < len(low):
		case len(low) >= 3 && strings.HasPrefix(string(cl), string(low)):
			d = limit + 1
		default:
			continue
		}
		// Among equals a common first letter wins (people seldom miss the first), then the
		// nearest length, then the alphabet.
		score := 1000 - 100*d - abs(len(cl)-len(low))
		if cl[0] == low[0] {
			score += 50
		}
		if best == "" || score > bestScore || score == bestScore && c < best {
			best, bestScore = c, score
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b, or limit+1 when it is larger.
func distance(a, b []rune, limit int, rows *[3][]int) int {
	if abs(len(a)-len(b)) > limit {
		return limit + 1
	}
	for i := range rows {
		if cap(rows[i]) < len(b)+1 {
			rows[i] = make([]int, len(b)+1)
		}
		rows[i] = rows[i][:len(b)+1]
	}
	prev2, prev, cur := rows[0], rows[1], rows[2]
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, prev2[j-2]+1)
			}
			cur[j] = d
			least = min(least, d)
		}
		if least > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// Quote shows a name or a piece of text the way messages do, in backquotes; line ends and
// very long texts are shortened.
func Quote(s string) string {
	if i := strings.IndexAny(s, "\r\n"); i >= 0 {
		s = s[:i] + "…"
	}
	if utf8.RuneCountInString(s) > 40 {
		s = string([]rune(s)[:39]) + "…"
	}
	return "`" + s + "`"
}
