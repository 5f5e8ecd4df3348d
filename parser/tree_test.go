package parser

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/udl-lang/udl/lang/ast"
	"github.com/udl-lang/udl/lang/diag"
)

// dump writes a tree without its places. Brackets are left out when bare is set: the printer may
// add them.
func dump(n any, bare bool) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(n), bare)
	return b.String()
}

var (
	baseType = reflect.TypeFor[ast.Base]()
	spanType = reflect.TypeFor[diag.Span]()
	fileType = reflect.TypeFor[ast.File]()
)

func dumpValue(b *strings.Builder, v reflect.Value, bare bool) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			b.WriteString("-")
			return
		}
		if p, ok := v.Interface().(*ast.Paren); ok && bare {
			dumpValue(b, reflect.ValueOf(p.X), bare)
			return
		}
		dumpValue(b, v.Elem(), bare)
	case reflect.Slice:
		// Only of an else the absent and the empty list differ.
		b.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(" ")
			}
			dumpValue(b, v.Index(i), bare)
		}
		b.WriteString("]")
	case reflect.Struct:
		if v.Type() == fileType {
			dumpValue(b, v.FieldByName("Stmts"), bare)
			return
		}
		b.WriteString("(" + v.Type().Name())
		for i := range v.NumField() {
			if t := v.Field(i).Type(); t == baseType || t == spanType {
				continue
			}
			b.WriteString(" ")
			dumpValue(b, v.Field(i), bare)
		}
		b.WriteString(")")
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

// grouping writes an expression with all brackets and none of the layout, to see how it groups.
func grouping(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Unary:
		return "(" + e.Op + " " + grouping(e.X) + ")"
	case *ast.Binary:
		return "(" + grouping(e.X) + " " + e.Op + " " + grouping(e.Y) + ")"
	case *ast.If:
		return "(if " + grouping(e.Cond) + " " + grouping(e.Then) + " " + grouping(e.Else) + ")"
	case *ast.Lambda:
		return "(-> " + grouping(e.Body) + ")"
	case *ast.Range:
		s := "("
		if e.Lo == nil {
			return "(..)"
		}
		s += grouping(e.Lo) + " .. " + grouping(e.Hi)
		if e.By != nil {
			s += " by " + grouping(e.By)
		}
		if e.At != nil {
			s += " at " + grouping(e.At)
		}
		return s + ")"
	case *ast.Reduce:
		return "(" + e.Op.Name + " " + grouping(e.Body) + ")"
	case *ast.Prime:
		return "(" + grouping(e.X) + " ')"
	case *ast.Paren:
		return "{" + grouping(e.X) + "}"
	}
	return ast.ExprString(e)
}
