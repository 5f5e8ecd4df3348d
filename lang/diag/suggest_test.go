package diag

import "testing"

func TestSuggest(t *testing.T) {
	known := []string{"alpha", "beta", "gamma", "delta", "hidden", "hide", "Tsit5", "rtol", "atol", "solve", "x", "y", "k1", "sum", "ensemble"}
	for name, want := range map[string]string{
		"alhpa":     "alpha", // neighbours swapped
		"aplha":     "alpha",
		"alpa":      "alpha",
		"alphaa":    "alpha",
		"ALPHA":     "alpha",
		"tsit5":     "Tsit5",
		"tist5":     "Tsit5",
		"rtl":       "rtol",
		"hiden":     "hidden",
		"ens":       "ensemble", // what it begins
		"hid":       "hide",
		"slove":     "solve",
		"X":         "x",
		"K1":        "k1",
		"z":         "",
		"w2":        "",
		"":          "",
		"banana":    "",
		"something": "",
		"smu":       "sum",
	} {
		if got := Suggest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if Suggest("a", nil) != "" || Suggest("abc", []string{"", "abc"}) != "" {
		t.Error("nothing is near nothing")
	}
}

// The answer does not depend on the order of the candidates, which often come out of maps.
func TestSuggestOrder(t *testing.T) {
	if a, b := Suggest("tat", []string{"tab", "tax"}), Suggest("tat", []string{"tax", "tab"}); a != b {
		t.Errorf("%q and %q", a, b)
	}
}

func TestDistance(t *testing.T) {
	var rows [3][]int
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {"ca", "abc", 3}, {"abcdef", "abcdef", 0}, {"x", "yz", 2}} {
		if got := distance([]rune(c.a), []rune(c.b), 9, &rows); got != c.want {
			t.Errorf("%q %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance([]rune(c.b), []rune(c.a), 9, &rows); got != c.want {
			t.Errorf("%q %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
