// Package parser turns text into the syntax tree of lang/ast. The way is: tokens (lex.go),
// brackets (bracket.go: which brace is a record and which a block, and where an open bracket
// is given up), statements (split.go: each is parsed by itself, so that each recovers), then
// one participle grammar per declaration word (rule.go and grammar_*.go) with expressions by
// precedence climbing over the table ast.Operators (expr.go).
//
// Names are not resolved here and nothing has a meaning yet. It imports lang/ast, lang/diag
// and participle only.
package parser
