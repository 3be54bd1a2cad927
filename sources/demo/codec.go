package demo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"
)

const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/vnd.kubernetes.protobuf"
)

// codec turns objects into bytes and back in the formats clients ask for.
type codec struct {
	scheme *runtime.Scheme
	any    runtime.Decoder // recognises JSON, YAML and protobuf
	proto  *protobuf.Serializer
}

func newCodec() *codec {
	s := newScheme()
	return &codec{
		scheme: s,
		any:    serializer.NewCodecFactory(s).UniversalDeserializer(),
		proto:  protobuf.NewSerializer(s, s),
	}
}

// format is one clause of an Accept header that the server can satisfy.
type format struct {
	media string
	as    string // "", Table, PartialObjectMetadata or PartialObjectMetadataList
}

// negotiate picks the first clause of Accept that can be served. Custom
// resources have no protobuf form unless only their metadata is asked for.
func negotiate(accept string, protobufOK bool) format {
	for clause := range strings.SplitSeq(accept, ",") {
		media, params, err := mime.ParseMediaType(strings.TrimSpace(clause))
		if err != nil {
			continue
		}
		f := format{media: media, as: params["as"]}
		switch {
		case f.as != "" && (params["g"] != "meta.k8s.io" || params["v"] != "v1"):
			continue
		case media == mediaProtobuf && (f.as == "Table" || (f.as == "" && !protobufOK)):
			continue
		case media == mediaJSON || media == mediaProtobuf:
			return f
		}
	}
	return format{media: mediaJSON}
}

func (f format) contentType(streaming bool) string {
	if streaming && f.media == mediaProtobuf {
		return f.media + ";stream=watch"
	}
	return f.media
}

// encode writes one object in a format.
func (c *codec) encode(f format, o runtime.Object) ([]byte, error) {
	if f.media == mediaProtobuf {
		var b bytes.Buffer
		if err := c.proto.Encode(o, &b); err != nil {
			return nil, fmt.Errorf("encode %T as protobuf: %w", o, err)
		}
		return b.Bytes(), nil
	}
	b, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("encode %T as JSON: %w", o, err)
	}
	return append(b, '\n'), nil
}

// frame writes one watch event in a format: JSON documents one after
// another, or protobuf messages behind their length.
func (c *codec) frame(f format, typ watch.EventType, o runtime.Object) ([]byte, error) {
	raw, err := c.encode(f, o)
	if err != nil {
		return nil, err
	}
	ev := metav1.WatchEvent{Type: string(typ), Object: runtime.RawExtension{Raw: bytes.TrimRight(raw, "\n")}}
	if f.media != mediaProtobuf {
		b, err := json.Marshal(ev)
		if err != nil {
			return nil, fmt.Errorf("encode a watch event as JSON: %w", err)
		}
		return append(b, '\n'), nil
	}
	ev.Object.Raw = raw
	b, err := ev.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encode a watch event as protobuf: %w", err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...), nil
}

// decode reads a request body as an object of kind k, or as the kind it
// names itself when k is nil or untyped.
func (c *codec) decode(body []byte, k *kind) (runtime.Object, error) {
	if k != nil && k.goType == nil {
		u := &unstructured.Unstructured{}
		j, err := yaml.YAMLToJSON(body)
		if err == nil {
			err = u.UnmarshalJSON(j)
		}
		if err != nil {
			return nil, fmt.Errorf("decode %s: %w", k.gvk.Kind, err)
		}
		return u, nil
	}
	o, _, err := c.any.Decode(body, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("decode request body: %w", err)
	}
	return o, nil
}

// deleteOptions reads the body of a deletion; kubectl sends it as bare JSON
// without a kind.
func (c *codec) deleteOptions(body []byte) (*metav1.DeleteOptions, error) {
	opts := &metav1.DeleteOptions{}
	if json.Unmarshal(body, opts) == nil {
		return opts, nil
	}
	o, err := c.decode(body, nil)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*metav1.DeleteOptions)
	if !ok {
		return nil, fmt.Errorf("a %T instead of DeleteOptions", o)
	}
	return d, nil
}

// listOf makes the list object of a kind.
func (c *codec) listOf(k *kind, items []object, meta metav1.ListMeta) (runtime.Object, error) {
	listKind := k.gvk.GroupVersion().WithKind(k.gvk.Kind + "List")
	if k.goType == nil {
		l := &unstructured.UnstructuredList{}
		l.SetGroupVersionKind(listKind)
		l.SetResourceVersion(meta.ResourceVersion)
		l.SetContinue(meta.Continue)
		l.SetRemainingItemCount(meta.RemainingItemCount)
		l.Items = make([]unstructured.Unstructured, len(items))
		for i, o := range items {
			l.Items[i] = *as[*unstructured.Unstructured](o)
		}
		return l, nil
	}
	l, err := c.scheme.New(listKind)
	if err != nil {
		return nil, fmt.Errorf("make a %s: %w", listKind.Kind, err)
	}
	l.GetObjectKind().SetGroupVersionKind(listKind)
	return l, fillList(l, items, meta)
}

// readBody reads a request body of at most 3 MiB, the API server's own limit.
func readBody(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r.Body, 3<<20))
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	return b, nil
}
