//! Who asks, and what they may. Pure.

use crate::id::TenantId;
use schemars::JsonSchema;
use serde::Serialize;
use std::{collections::HashMap, str::FromStr};

/// Whoever the gateway has proved, by the claims of their token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The issuer's name for them.
    pub subject: String,
    pub reach: Reach,
    pub role: Role,
}

/// Whose data somebody may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    Tenant(TenantId),
    /// Everybody's: whoever runs the stack itself.
    Platform,
}

/// What somebody may do; each role may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Sees to what waits for a person: exceptions, conflicts, a sync now, a pause.
    Operator,
    /// Decides what holds: connections, mappings, settings.
    Admin,
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing but a token of ours, whatever it claims: it is about no tenant.
    Proof,
    /// This role, in the tenant that the route is about.
    Role(Role),
    /// The role of an admin, of the whole stack.
    Platform,
}

/// The names of the claims that we go by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub tenant: String,
    pub role: String,
}

impl Default for Names {
    fn default() -> Names {
        Names { tenant: "tenant".to_owned(), role: "role".to_owned() }
    }
}

/// Claimed as the tenant by whoever runs the stack; no tenant's id.
pub const EVERY: &str = "*";

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is another tenant's; whether there is such a thing is not told.
    NotTheirs,
    /// Theirs, but not for this role.
    Role(Role),
    /// For those who run the stack.
    Platform,
}

impl FromStr for Role {
    type Err = ();
    fn from_str(name: &str) -> Result<Role, ()> {
        [Role::Viewer, Role::Operator, Role::Admin].into_iter().find(|role| role.name() == name).ok_or(())
    }
}

impl Role {
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }
}

impl Caller {
    /// Whoever these claims name. `None` where they lack a subject, name no role of ours, or not exactly one tenant.
    ///
    /// The gateway hands a list of texts on as `[one two]` (API Gateway docs: working with JWT authorizers for HTTP APIs).
    pub fn of(claims: &HashMap<String, String>, names: &Names) -> Option<Caller> {
        let listed = |name: &str| -> Vec<&str> {
            let claim = claims.get(name).map(String::as_str).unwrap_or_default();
            let claim = claim.strip_prefix('[').and_then(|list| list.strip_suffix(']')).unwrap_or(claim);
            let texts = claim.split([' ', ',']).map(|one| one.trim_matches('"'));
            // Every claim reaches us as a text, one that says nothing too.
            texts.filter(|one| !["", "null"].contains(one)).collect()
        };
        let subject = claims.get("sub").filter(|subject| !subject.is_empty())?.clone();
        // Others are the issuer's own affair.
        let role = listed(&names.role).into_iter().filter_map(|name| name.parse().ok()).max()?;
        let reach = match listed(&names.tenant).as_slice() {
            [EVERY] => Reach::Platform,
            [one] => Reach::Tenant(one.parse().ok()?),
            _ => return None,
        };
        Some(Caller { subject, reach, role })
    }

    /// Whether a route about this tenant (`None`: about none) is theirs to call.
    pub fn may(&self, needs: Needs, tenant: Option<&TenantId>) -> Result<(), Refused> {
        let theirs = match (&self.reach, tenant) {
            (Reach::Platform, _) | (_, None) => true,
            (Reach::Tenant(own), Some(tenant)) => own == tenant,
        };
        match needs {
            _ if !theirs => Err(Refused::NotTheirs),
            Needs::Proof => Ok(()),
            Needs::Role(role) if self.role < role => Err(Refused::Role(role)),
            Needs::Role(_) => Ok(()),
            Needs::Platform if self.reach == Reach::Platform && self.role == Role::Admin => Ok(()),
            Needs::Platform => Err(Refused::Platform),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(claims: &[(&str, &str)]) -> Option<Caller> {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Caller::of(&claims, &Names::default())
    }

    #[test]
    fn who_claims_too_little_or_too_much_is_nobody() {
        let sound = [("sub", "u1"), ("tenant", "acme"), ("role", "viewer")];
        assert!(caller(&sound).is_some());
        for left_out in 0..sound.len() {
            let some: Vec<_> =
                sound.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, one)| *one).collect();
            assert_eq!(caller(&some), None, "{some:?}");
        }
        for (name, value) in
            [("tenant", "[acme beta]"), ("tenant", ""), ("tenant", "a#b"), ("role", "owner"), ("sub", "")]
        {
            let claims: Vec<_> = sound.iter().map(|one| if one.0 == name { (name, value) } else { *one }).collect();
            assert_eq!(caller(&claims), None, "{name} {value}");
        }
    }

    #[test]
    fn of_several_roles_the_highest_counts_and_others_are_not_ours() {
        for (roles, role) in [
            ("operator", Role::Operator),
            ("[viewer admin]", Role::Admin),
            ("[\"staff\",\"operator\"]", Role::Operator),
            ("viewer staff", Role::Viewer),
        ] {
            assert_eq!(caller(&[("sub", "u"), ("tenant", "acme"), ("role", roles)]).unwrap().role, role, "{roles}");
        }
    }

    #[test]
    fn a_route_is_called_by_its_tenants_own_people_of_its_role_and_by_the_platform() {
        let tenants: [Option<TenantId>; 3] = [Some("acme".parse().unwrap()), Some("beta".parse().unwrap()), None];
        let all = [
            Needs::Proof,
            Needs::Role(Role::Viewer),
            Needs::Role(Role::Operator),
            Needs::Role(Role::Admin),
            Needs::Platform,
        ];
        for (claimed, role) in [
            ("acme", Role::Viewer),
            ("acme", Role::Operator),
            ("acme", Role::Admin),
            ("*", Role::Viewer),
            ("*", Role::Admin),
        ] {
            let reach = if claimed == EVERY { Reach::Platform } else { Reach::Tenant(claimed.parse().unwrap()) };
            let caller = Caller { subject: "u".to_owned(), reach, role };
            for (needs, tenant) in all.into_iter().flat_map(|needs| tenants.iter().map(move |tenant| (needs, tenant))) {
                let theirs = claimed == EVERY || tenant.as_ref().is_none_or(|tenant| tenant.as_str() == claimed);
                let enough = match needs {
                    Needs::Proof => true,
                    Needs::Role(asked) => role >= asked,
                    Needs::Platform => claimed == EVERY && role == Role::Admin,
                };
                let may = caller.may(needs, tenant.as_ref());
                assert_eq!(may.is_ok(), theirs && enough, "{caller:?} {needs:?} {tenant:?}");
                assert!(theirs || may == Err(Refused::NotTheirs), "what there is elsewhere is not told");
            }
        }
    }
}
