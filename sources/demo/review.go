package demo

import (
	"net/http"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
)

// serveReview answers what the asking user may do.
func (w *World) serveReview(rw http.ResponseWriter, q *request) error {
	body, err := readBody(q.Request)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	o, err := w.codec.decode(body, nil)
	if err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	var answer runtime.Object
	switch r := o.(type) {
	case *authorizationv1.SelfSubjectAccessReview:
		r.Status.Allowed = q.user.may(asked(r.Spec))
		if !r.Status.Allowed {
			r.Status.Reason = "no rule of the user's roles allows it"
		}
		answer = r
	case *authorizationv1.SelfSubjectRulesReview:
		r.Status = rulesOf(q.user)
		answer = r
	default:
		return errNoPath
	}
	answer.GetObjectKind().SetGroupVersionKind(authorizationv1.SchemeGroupVersion.WithKind(kindName(answer)))
	f := negotiate(q.Header.Get("Accept"), true)
	f.as = ""
	return w.respond(rw, f, http.StatusCreated, answer)
}

func kindName(o runtime.Object) string {
	if _, ok := o.(*authorizationv1.SelfSubjectRulesReview); ok {
		return "SelfSubjectRulesReview"
	}
	return "SelfSubjectAccessReview"
}

func asked(s authorizationv1.SelfSubjectAccessReviewSpec) attributes {
	if n := s.NonResourceAttributes; n != nil {
		return attributes{verb: n.Verb, path: n.Path}
	}
	if r := s.ResourceAttributes; r != nil {
		return attributes{verb: r.Verb, group: r.Group, resource: r.Resource, sub: r.Subresource, name: r.Name}
	}
	return attributes{}
}

func rulesOf(u user) authorizationv1.SubjectRulesReviewStatus {
	var s authorizationv1.SubjectRulesReviewStatus
	for _, r := range u.rules {
		if len(r.NonResourceURLs) > 0 {
			s.NonResourceRules = append(s.NonResourceRules, authorizationv1.NonResourceRule{Verbs: r.Verbs, NonResourceURLs: r.NonResourceURLs})
			continue
		}
		s.ResourceRules = append(s.ResourceRules, authorizationv1.ResourceRule{
			Verbs: r.Verbs, APIGroups: r.APIGroups, Resources: r.Resources, ResourceNames: r.ResourceNames,
		})
	}
	return s
}
