package ast

import "reflect"

// Replace is a tree in which f has put other expressions in the place of some: f gives what stands for an expression, and whether
// that is something else; what it gives is not looked into. Nodes on the way to a change are copied, the others shared, so
// the given tree stays as it is.
func Replace[N Node](n N, f func(Expr) (Expr, bool)) N {
	v, changed := replace(reflect.ValueOf(&n).Elem(), f)
	if !changed {
		return n
	}
	return v.Interface().(N)
}

var anExpr = reflect.TypeFor[Expr]()

func replace(v reflect.Value, f func(Expr) (Expr, bool)) (reflect.Value, bool) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return v, false
		}
		if e, ok := v.Interface().(Expr); ok && v.Type().Implements(anExpr) {
			if x, changed := f(e); changed {
				return reflect.ValueOf(x), true
			}
		}
		w, changed := replace(v.Elem(), f)
		return w, changed
	case reflect.Pointer:
		if v.IsNil() || v.Elem().Kind() != reflect.Struct {
			return v, false
		}
		if _, is := v.Interface().(Node); !is {
			return v, false
		}
		var c reflect.Value
		for i := range v.Elem().NumField() {
			w, changed := replace(v.Elem().Field(i), f)
			if !changed {
				continue
			}
			if !c.IsValid() {
				c = reflect.New(v.Elem().Type())
				c.Elem().Set(v.Elem())
			}
			c.Elem().Field(i).Set(w)
		}
		if !c.IsValid() {
			return v, false
		}
		return c, true
	case reflect.Slice:
		var c reflect.Value
		for i := range v.Len() {
			w, changed := replace(v.Index(i), f)
			if !changed {
				continue
			}
			if !c.IsValid() {
				c = reflect.MakeSlice(v.Type(), v.Len(), v.Len())
				reflect.Copy(c, v)
			}
			c.Index(i).Set(w)
		}
		if !c.IsValid() {
			return v, false
		}
		return c, true
	}
	return v, false
}
