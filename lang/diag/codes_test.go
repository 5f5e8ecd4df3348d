package diag

import (
	"regexp"
	"testing"
)

func TestCodes(t *testing.T) {
	form := regexp.MustCompile(`^E0[1-9]\d\d$`)
	seen := map[Code]bool{}
	last := Code("")
	for _, r := range Codes() {
		switch {
		case !form.MatchString(string(r.Code)):
			t.Errorf("%s is no code", r.Code)
		case seen[r.Code]:
			t.Errorf("%s is there twice", r.Code)
		case r.Code < last:
			t.Errorf("%s is out of order", r.Code)
		case r.Title == "" || r.Explanation == "":
			t.Errorf("%s has no title or no explanation", r.Code)
		}
		seen[r.Code], last = true, r.Code
		if got, ok := Explain(r.Code); !ok || got != r {
			t.Errorf("%s is not found", r.Code)
		}
	}
	if _, ok := Explain("E9999"); ok {
		t.Error("E9999 is found")
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"x": "`x`", "a\nb": "`a…`", "0123456789012345678901234567890123456789x": "`012345678901234567890123456789012345678…`"} {
		if got := Quote(in); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
}
