//! From a simulated CVM to a judged report, by the way that the program goes: bodies, `Evidence::parse`, `prove`,
//! `appraise`.

use std::sync::LazyLock;

use cvm_verify_core::appraise::{Subject, appraise};
use cvm_verify_core::checks::EvidenceFailure;
use cvm_verify_core::evidence::{Evidence, EvidenceError, RecordedKms, TlsSession};
use cvm_verify_core::policy::KnownBy;
use cvm_verify_core::policy::{
    Expected, KeyProviderPin, Origin, OsImageOption, OsImagePolicy, OsTuple, Policy, parse_os_image,
};
use cvm_verify_core::report::{CheckId, CheckResult, Status, TargetReport, Verdict};
use cvm_verify_core::verify::gpu::DeviceRoot;
use cvm_verify_core::verify::{
    Claims, Inputs, ShownDocument, SignatureCache, TrustRoot, UnusableCollateral, prove,
};
use dcap_qvl::QuoteCollateralV3;
use simulator::{Cvm, World};

/// Shared by all tests, as by all targets of a run.
static SIGNATURES: LazyLock<SignatureCache> = LazyLock::new(SignatureCache::default);

/// The nonce of this run.
pub const NONCE: [u8; 32] = *b"a nonce of this run: 32 bytes...";

/// The nonce as it stands in a query.
pub fn query() -> String {
    hex::encode(NONCE)
}

/// One CVM, what it is judged against, and when.
pub struct Trial {
    /// The CVM as it is.
    pub cvm: Cvm,
    /// What the user expects: the healthy CVM, exactly.
    pub policy: Policy,
    /// The root that is trusted: the healthy world's.
    pub root: TrustRoot,
    /// The time that is judged at, Unix seconds.
    pub at: u64,
    /// The time of the program's own commit, Unix seconds.
    pub clock_floor: u64,
    /// Whether the collateral is at hand, and another one than the world's.
    pub collateral: Result<Option<QuoteCollateralV3>, UnusableCollateral>,
    /// When the collateral was fetched, Unix seconds.
    pub collateral_fetched_at: Option<u64>,
    /// Whether `/info` answers.
    pub info: bool,
    /// The root of GPUs that is trusted instead of NVIDIA's.
    pub device_root: Option<DeviceRoot>,
    /// What was seen of TLS.
    pub tls: Option<TlsSession>,
    /// What KMSs showed and answered.
    pub kms: Vec<RecordedKms>,
    /// Whether the guest shows the measurement document of the image that the lock names.
    pub document: bool,
}

impl Trial {
    /// A healthy CVM and the strictest policy that it passes.
    pub fn healthy() -> Self {
        Self::of(Cvm::healthy(&World::default()))
    }

    /// A CVM and the strictest policy that describes it as it is now. Lies come after.
    pub fn of(cvm: Cvm) -> Self {
        let world = &cvm.world;
        Self {
            policy: strict(&cvm),
            root: TrustRoot::Custom(world.root_der()),
            at: world.now,
            clock_floor: 0,
            collateral: Ok(None),
            collateral_fetched_at: None,
            info: true,
            device_root: None,
            tls: None,
            kms: Vec::new(),
            document: true,
            cvm,
        }
    }

    /// The trial after a change.
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The healthy CVM after a lie.
    pub fn lying(lie: impl FnOnce(&mut Cvm)) -> Self {
        Self::healthy().with(|trial| lie(&mut trial.cvm))
    }

    /// The bodies that the CVM hands over for this run's nonce.
    pub fn bodies(&self) -> (String, Option<String>) {
        let info = self.info.then(|| self.cvm.info_body());
        (self.cvm.attestation_body(&query()), info)
    }

    /// The evidence, parsed.
    pub fn evidence(&self) -> Result<Evidence, EvidenceError> {
        let (attestation, info) = self.bodies();
        parse(&attestation, info.as_deref())
    }

    /// Judges the CVM.
    pub fn judge(&self) -> Judged {
        self.judge_evidence(self.evidence())
    }

    /// Judges bodies that came from elsewhere.
    pub fn judge_bodies(&self, attestation: &str, info: Option<&str>) -> Judged {
        self.judge_evidence(parse(attestation, info))
    }

    /// Judges evidence that was made elsewhere.
    pub fn judge_evidence(&self, evidence: Result<Evidence, EvidenceError>) -> Judged {
        let subject = Subject {
            name: "simulated".to_owned(),
            url: None,
            root: self.root.clone(),
            at: self.at,
            bundle: None,
        };
        Judged(match evidence {
            Err(error) => appraise(Err(&EvidenceFailure::from(error)), &self.policy, &subject),
            Ok(evidence) => appraise(Ok(&self.claims(&evidence)), &self.policy, &subject),
        })
    }

    /// What is proven of evidence.
    pub fn claims(&self, evidence: &Evidence) -> Claims {
        let collateral = self
            .collateral
            .as_ref()
            .map(|given| given.clone().unwrap_or_else(|| self.cvm.world.collateral()))
            .map_err(Clone::clone);
        let inputs = Inputs {
            collateral: collateral.as_ref().map_err(Clone::clone),
            collateral_fetched_at: self.collateral_fetched_at,
            signatures: &SIGNATURES,
            root: &self.root,
            at: self.at,
            clock_floor: self.clock_floor,
        };
        let mut claims = prove(evidence, &inputs);
        if self.document {
            confirm_files(&mut claims, &self.policy);
        }
        let claims = match &self.device_root {
            Some(root) => claims.with_device_root(evidence, root),
            None => claims,
        };
        let claims = match &self.tls {
            None => claims,
            Some(session) => claims.with_tls(session, &inputs).with_ingress(session, &inputs),
        };
        claims.with_kms(&self.kms, &inputs)
    }
}

/// The hash that the lock of a trial names.
const MEASURED: [u8; 32] = [0xf1; 32];

/// As if the guest showed the measurement document of the image that the lock of a trial names: the healthy image is in no table.
fn confirm_files(claims: &mut Claims, policy: &Policy) {
    let is_own = matches!(
        &policy.os_image,
        OsImagePolicy::Lock { known_by: Some(KnownBy::Files(files)), .. } if files.os_image_hash == MEASURED
    );
    if is_own {
        claims.shown_document = ShownDocument::OtherShape {
            os_image_hash: MEASURED,
            computed: [0; 48],
        };
    }
}

fn parse(attestation: &str, info: Option<&str>) -> Result<Evidence, EvidenceError> {
    Evidence::parse(attestation.as_bytes(), info.map(str::as_bytes), None, Some(NONCE))
}

/// Exactly this CVM: compose hash, registers, key provider, nonce.
pub fn strict(cvm: &Cvm) -> Policy {
    let provider: serde_json::Value = serde_json::from_str(&cvm.key_provider).unwrap();
    Policy {
        compose_hash: Some(expected("--compose-hash", cvm.compose_hash())),
        key_provider: Some(expected(
            "--key-provider",
            KeyProviderPin {
                name: provider["name"].as_str().unwrap().to_owned(),
                id: Some(provider["id"].as_str().unwrap().to_owned()),
            }
            .into(),
        )),
        // As if somebody had measured the files of the image: it is in no table.
        os_image: OsImagePolicy::Lock {
            tuple: registers(cvm),
            vulnerable: None,
            known_by: Some(KnownBy::Files(MEASURED.into())),
            acpi_change: None,
            accepts_development: false,
            lock: "cvm.lock".into(),
        },
        ..Policy::default()
    }
}

/// A value given by an option.
pub fn expected<T>(option: &'static str, value: T) -> Expected<T> {
    Expected {
        value,
        origin: Origin::Option(option),
    }
}

/// MRTD and RTMR0 to RTMR2 as the CVM will show them.
pub fn registers(cvm: &Cvm) -> OsTuple {
    let report = cvm.td_report([0; 64]);
    let [rtmr0, rtmr1, rtmr2, _] = report.rtmr;
    OsTuple {
        mrtd: report.mr_td,
        rtmr: [rtmr0, rtmr1, rtmr2],
    }
}

/// What a value of `--os-image` means.
pub fn os_image(text: &str) -> OsImagePolicy {
    match parse_os_image(text).unwrap() {
        OsImageOption::Policy(policy) => *policy,
        OsImageOption::Lock => panic!("a lock is given as OsImagePolicy::Lock"),
    }
}

/// A report, with the assertions that the attacks share. Each panics with what every check said.
pub struct Judged(pub TargetReport);

impl Judged {
    /// The verdict is pass.
    #[track_caller]
    pub fn passes(&self) -> &Self {
        self.concludes(Verdict::Pass)
    }

    /// The check fails with this reason, and so does the run.
    #[track_caller]
    pub fn fails(&self, id: CheckId, reason: &str) -> &Self {
        self.says(id, Status::Fail, reason).concludes(Verdict::Fail)
    }

    /// The check could not be determined, for this reason; nothing fails, and the run is inconclusive.
    #[track_caller]
    pub fn leaves_open(&self, id: CheckId, reason: &str) -> &Self {
        self.says(id, Status::Error, reason)
            .concludes(Verdict::Inconclusive)
    }

    /// The check says so, with this reason. Nothing is asserted of the verdict.
    #[track_caller]
    pub fn says(&self, id: CheckId, status: Status, reason: &str) -> &Self {
        let check = self.0.check(id).unwrap();
        assert!(
            check.status == status && check.reason.as_deref() == Some(reason),
            "{id} should be {} / {reason}\n{self}",
            status.as_str()
        );
        self
    }

    /// The check passes. Nothing is asserted of the verdict.
    #[track_caller]
    pub fn proves(&self, id: CheckId) -> &Self {
        assert!(self.status(id) == Status::Pass, "{id} should pass\n{self}");
        self
    }

    /// The run ends so.
    #[track_caller]
    pub fn concludes(&self, verdict: Verdict) -> &Self {
        assert!(
            self.0.verdict == verdict,
            "the verdict should be {}\n{self}",
            verdict.as_str()
        );
        self
    }

    /// The quote is refused, and no other party is accused.
    #[track_caller]
    pub fn accuses_the_deployment(&self, what: &dyn std::fmt::Display) {
        assert!(
            self.0.verdict == Verdict::Fail && self.status(CheckId::QuoteSignature) == Status::Fail,
            "{what}: the deployment is to blame\n{self}"
        );
    }

    /// Nothing fails, and the collateral has a reason of its own, in words that accuse nobody else.
    #[track_caller]
    pub fn accuses_the_collateral(&self, what: &dyn std::fmt::Display) {
        let check = self.0.check(CheckId::Collateral).unwrap();
        let reason = check.reason.as_deref().unwrap_or_default();
        let own = [
            "malformed",
            "not-signed-by-intel",
            "wrong-platform",
            "expired",
            "not-yet-valid",
        ];
        assert!(
            self.0.verdict == Verdict::Inconclusive && check.status == Status::Error && own.contains(&reason),
            "{what}: the collateral is to blame\n{self}"
        );
        self.accuses_no_deployment(what);
    }

    /// Nothing fails, and no word of it says that the deployment is hostile.
    #[track_caller]
    pub fn accuses_no_deployment(&self, what: &dyn std::fmt::Display) {
        for check in &self.0.checks {
            let fix = check.fix.as_deref().unwrap_or_default();
            let words = format!("{} {fix}", check.detail);
            let accused = ["hostile", "forged", "forgery", "damaged"]
                .iter()
                .any(|word| words.contains(word));
            assert!(
                check.status != Status::Fail && !accused,
                "{what}: {} accuses the deployment\n{self}",
                check.id
            );
        }
    }

    /// The status of a check.
    pub fn status(&self, id: CheckId) -> Status {
        self.0.check(id).unwrap().status
    }

    /// The result of a check.
    pub fn check(&self, id: CheckId) -> &CheckResult {
        self.0.check(id).unwrap()
    }

    /// Asserts that the sentence of a check holds this.
    #[track_caller]
    pub fn detail_says(&self, id: CheckId, says: &str) -> &Self {
        assert!(self.detail(id).contains(says), "{says:?} is not said: {self}");
        self
    }

    /// The sentence of a check.
    pub fn detail(&self, id: CheckId) -> &str {
        &self.0.check(id).unwrap().detail
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "verdict {}", self.0.verdict.as_str())?;
        for check in &self.0.checks {
            let reason = check.reason.as_deref().unwrap_or("");
            let status = check.status.as_str();
            writeln!(f, "  {}: {status} {reason}: {}", check.id, check.detail)?;
        }
        Ok(())
    }
}
