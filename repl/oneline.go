package repl

import "strings"

// oneLine joins the lines of an entry so that it means the same: a newline that ends a statement
// becomes a semicolon, one inside brackets or after an opening brace, an operator or a comma a
// blank. Comments end with their line, so they are left out.
func oneLine(entry string) string {
	lines := strings.Split(entry, "\n")
	if len(lines) == 1 {
		return entry
	}
	var b strings.Builder
	depth := 0 // of ( and [
	for _, l := range lines {
		l, depth = uncomment(l, depth)
		l = strings.TrimSpace(l)
		if l == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(joint(b.String(), l))
		}
		b.WriteString(l)
		if depth > 0 {
			b.WriteByte(' ')
		}
	}
	return strings.TrimSpace(b.String())
}

// uncomment cuts a comment off and counts brackets, both outside strings.
func uncomment(l string, depth int) (string, int) {
	inText := false
	for i := 0; i < len(l); i++ {
		switch c := l[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
		case inText:
		case c == '#':
			return l[:i], depth
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		}
	}
	return l, depth
}

// joint is what stands between two lines of an entry.
func joint(before, after string) string {
	if strings.HasSuffix(before, " ") {
		return "" // inside brackets
	}
	if strings.HasPrefix(after, "else") || strings.HasPrefix(after, "}") {
		return " "
	}
	for _, op := range []string{"{", "=", "+", "-", "*", "/", "@", "^", ",", "->", "..", "and", "or", "not", "then", "by", "at", "<", ">", ":", ";"} {
		if strings.HasSuffix(before, op) && (op[0] < 'a' || strings.HasSuffix(before, " "+op)) {
			return " "
		}
	}
	return "; "
}
