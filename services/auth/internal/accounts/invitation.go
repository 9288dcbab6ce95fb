package accounts

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
)

// AcceptInvitation implements [api.AcceptInvitation].
func (s *Service) AcceptInvitation(ctx context.Context, in *api.AcceptInvitationRequest) (*struct{}, error) {
	name, err := person.OptionalName("body.full_name", in.Body.FullName)
	if err != nil {
		return nil, err
	}
	hash, err := s.hashFor(ctx, choice{
		token:    in.Body.Token,
		purpose:  api.LinkInvitation,
		password: in.Body.Password,
		field:    "body.password",
		name:     name,
	})
	if err != nil {
		return nil, err
	}
	return nil, s.redeem(ctx, in.Body.Token, api.LinkInvitation, func(ctx context.Context, r redemption) error {
		if err := s.openWith(ctx, r, hash); err != nil {
			return err
		}
		if name != "" && name != r.account.FullName {
			if err := r.tx.Rename(ctx, r.account.ID, name, r.now); err != nil {
				return err
			}
		}
		if err := r.audit(ctx, audit.InvitationAccepted); err != nil {
			return err
		}
		return r.verify(ctx, name)
	})
}
