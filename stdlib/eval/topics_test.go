package eval

import (
	"strings"
	"testing"
)

// TestTopics holds that the words of topics have help, and those they send the reader to, which `udl doc` and the prompt show.
func TestTopics(t *testing.T) {
	in := New(Options{})
	for _, t0 := range topics {
		for _, w := range t0.words {
			text := topic(w)
			if _, ok := in.Help(w); !ok || !strings.Contains(text, "See also: ") || strings.Contains(text, "''") {
				t.Errorf("%s: %q", w, text)
			}
			for _, also := range strings.Split(strings.TrimSuffix(strings.TrimSpace(text[strings.LastIndex(text, "See also: ")+10:]), "."), ", ") {
				if _, ok := in.Help(also); !ok {
					t.Errorf("%s: no help on %s", w, also)
				}
			}
		}
	}
	if _, ok := in.Help("sovle"); ok {
		t.Error("help on nothing")
	}
}
