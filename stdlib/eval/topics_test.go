package eval

import (
	"strings"
	"testing"
)

// TestTopics holds that the words of events have help, which `udl doc` and the prompt show.
func TestTopics(t *testing.T) {
	in := New(Options{})
	for _, w := range []string{"when", "at", "every", "stop", "discrete", "events", "after", "either", "falling", "initially"} {
		text, ok := in.Help(w)
		if !ok || !strings.Contains(text, "See also: ") || strings.Contains(text, `"`) {
			t.Errorf("%s: %q", w, text)
		}
		for _, also := range strings.Split(strings.TrimSuffix(strings.TrimSpace(text[strings.LastIndex(text, "See also: ")+10:]), "."), ", ") {
			if _, ok := in.Help(also); !ok {
				t.Errorf("%s: no help on %s", w, also)
			}
		}
	}
	if _, ok := in.Help("sovle"); ok {
		t.Error("help on nothing")
	}
}
