package demo

import (
	"fmt"
	"reflect"
)

func typeFor[T object]() reflect.Type { return reflect.TypeFor[T]() }

func as[T object](o object) T {
	t, ok := o.(T)
	if !ok {
		panic(fmt.Sprintf("demo: a %T where %s is stored", o, reflect.TypeFor[T]()))
	}
	return t
}

// fetch returns one typed object; it must not be modified.
func fetch[T object](s *store, namespace, name string) (T, bool) {
	o, ok := s.get(kindOf[T](s), namespace, name)
	if !ok {
		var zero T
		return zero, false
	}
	return as[T](o), true
}

// all returns the typed objects of a namespace, or of all; they must not be
// modified.
func all[T object](s *store, namespace string) []T {
	objs, _ := s.list(kindOf[T](s), namespace)
	out := make([]T, len(objs))
	for i, o := range objs {
		out[i] = as[T](o)
	}
	return out
}

// add creates an object that the package itself makes up; a clash is a
// mistake in a scenario.
func add[T object](s *store, o T) T {
	created, err := s.create(kindOf[T](s), o, false)
	if err != nil {
		panic(fmt.Sprintf("demo: creating %s/%s: %v", o.GetNamespace(), o.GetName(), err))
	}
	return as[T](created)
}

// edit changes an object in place; fn gets a copy and says whether it
// changed anything. An object that is gone is left alone.
func edit[T object](s *store, o T, fn func(T) bool) {
	_, _ = s.update(kindOf[T](s), o.GetNamespace(), o.GetName(), false, func(o object) (object, error) {
		if fn(as[T](o)) {
			return o, nil
		}
		return nil, nil
	})
}

// mustObject is for what the scheme made: every kind of the registry has
// object metadata.
func mustObject(o any) object {
	obj, ok := o.(object)
	if !ok {
		panic(fmt.Sprintf("demo: %T has no object metadata", o))
	}
	return obj
}
