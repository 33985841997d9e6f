//! Licences that parts of Graph ask for, by the service plans that a tenant has.

/// A licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Licence {
    /// Entra ID P1: Conditional Access, the sign-in log.
    EntraP1,
    /// Entra ID P2: Identity Protection, eligible roles.
    EntraP2,
    /// Intune: devices that can be compliant.
    Intune,
}

impl Licence {
    /// Its name, as administrators know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EntraP1 => "Entra ID P1",
            Self::EntraP2 => "Entra ID P2",
            Self::Intune => "Intune",
        }
    }

    /// The service plans that bring it; any one does.
    pub fn service_plans(self) -> &'static [&'static str] {
        match self {
            Self::EntraP1 => &["AAD_PREMIUM", "AAD_PREMIUM_P2"],
            Self::EntraP2 => &["AAD_PREMIUM_P2"],
            Self::Intune => &["INTUNE_A", "INTUNE_EDU", "INTUNE_SMBIZ"],
        }
    }

    /// Whether a tenant with these service plans has it.
    pub fn is_among(self, service_plans: &[String]) -> bool {
        self.service_plans().iter().any(|plan| service_plans.iter().any(|own| own == plan))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_brings_p1_and_not_the_other_way_round() {
        let only = |plan: &str| vec![plan.to_owned()];
        assert!(Licence::EntraP1.is_among(&only("AAD_PREMIUM_P2")));
        assert!(!Licence::EntraP2.is_among(&only("AAD_PREMIUM")));
        assert!(!Licence::Intune.is_among(&only("INTUNE_O365")), "mobility for Office is not Intune");
    }
}
