package demo

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"reflect"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func (w *World) servePatch(rw http.ResponseWriter, q *request, k *kind) error {
	patch, err := readBody(q.Request)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	media, _, err := mime.ParseMediaType(q.Header.Get("Content-Type"))
	if err != nil {
		return apierrors.NewBadRequest("content type: " + err.Error())
	}
	return w.change(rw, q, k, func(old object) (object, error) {
		return applyPatch(k, types.PatchType(media), old, patch)
	})
}

// applyPatch makes the object that a patch turns old into.
func applyPatch(k *kind, typ types.PatchType, old object, patch []byte) (object, error) {
	before, err := json.Marshal(old)
	if err != nil {
		return nil, apierrors.NewInternalError(err)
	}
	after, err := patchJSON(k, typ, before, patch)
	if err != nil {
		return nil, err
	}
	if k.goType == nil {
		u := &unstructured.Unstructured{}
		if err := u.UnmarshalJSON(after); err != nil {
			return nil, invalidPatch(k, old, err)
		}
		return u, nil
	}
	next := mustObject(reflect.New(k.goType.Elem()).Interface())
	if err := json.Unmarshal(after, next); err != nil {
		return nil, invalidPatch(k, old, err)
	}
	return next, nil
}

func patchJSON(k *kind, typ types.PatchType, doc, patch []byte) ([]byte, error) {
	var out []byte
	var err error
	switch {
	case typ == types.JSONPatchType:
		var p jsonpatch.Patch
		if p, err = jsonpatch.DecodePatch(patch); err == nil {
			out, err = p.Apply(doc)
		}
	case typ == types.MergePatchType:
		out, err = jsonpatch.MergePatch(doc, patch)
	case typ == types.StrategicMergePatchType && k.goType != nil:
		out, err = strategicpatch.StrategicMergePatch(doc, patch, reflect.New(k.goType.Elem()).Interface())
	default:
		return nil, unsupportedMedia(string(typ))
	}
	if err != nil {
		return nil, apierrors.NewBadRequest("patch: " + err.Error())
	}
	return out, nil
}

// unsupportedMedia is the answer to a patch type that is not spoken here:
// server-side apply, and strategic merge of custom resources.
func unsupportedMedia(media string) error {
	return apierrors.NewGenericServerResponse(http.StatusUnsupportedMediaType, "patch", schema.GroupResource{}, "",
		fmt.Sprintf("the body of the request was in an unknown format - accepted media types include: %s, %s, %s; got %s",
			types.JSONPatchType, types.MergePatchType, types.StrategicMergePatchType, media), 0, false)
}

func invalidPatch(k *kind, o object, err error) error {
	return apierrors.NewBadRequest(fmt.Sprintf("the patched %s %q is not valid: %v", k.gvk.Kind, o.GetName(), err))
}
