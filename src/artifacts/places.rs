//! Where the files of a run go, and what each of them holds.

use std::path::{Path, PathBuf};

use super::WantedFiles;
use super::earlier::EarlierFile;
use super::statements::StatementPaths;
use crate::files::PendingFile;
use crate::render;
use cvm_verify_core::report::Report;

/// Where the files of a run go.
#[derive(Debug, Default)]
pub(crate) struct ArtifactPaths {
    pub report_json: Option<PathBuf>,
    pub report_text: Option<PathBuf>,
    pub summary: Option<PathBuf>,
    /// A summary that is appended to a file of others.
    pub appended: Option<PathBuf>,
    pub junit: Option<PathBuf>,
    pub dotenv: Option<PathBuf>,
    /// The bundle, or the folder of the bundles.
    pub evidence: Option<PathBuf>,
    /// The statement about the only target.
    pub statement: Option<StatementPaths>,
    /// The statements about all targets that pass, JSON.
    pub statements: Option<String>,
}

impl ArtifactPaths {
    pub(crate) fn of(wanted: &WantedFiles, bundles: &[PathBuf]) -> Self {
        let inside = |name: &str| wanted.output_dir.as_ref().map(|folder| folder.join(name));
        let evidence = match bundles {
            [] => None,
            [one] => Some(one.clone()),
            [first, ..] => first.parent().map(Path::to_path_buf),
        };
        Self {
            report_json: wanted.report_json.clone().or_else(|| inside("report.json")),
            report_text: inside("report.txt"),
            summary: inside("summary.md"),
            appended: wanted.summary.clone(),
            junit: wanted.junit.clone().or_else(|| inside("junit.xml")),
            dotenv: wanted.dotenv.clone().or_else(|| inside("result.env")),
            evidence,
            statement: None,
            statements: None,
        }
    }

    /// What later steps and jobs read, with the paths of these files.
    pub(crate) fn outputs(&self, report: &Report) -> Vec<render::Output> {
        let text = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let (report_json, summary, junit, evidence) = (
            text(&self.report_json),
            text(&self.summary).or_else(|| text(&self.appended)),
            text(&self.junit),
            text(&self.evidence),
        );
        let statement = text(&self.statement.as_ref().map(|paths| paths.statement.clone()));
        let predicate = text(&self.statement.as_ref().map(|paths| paths.predicate.clone()));
        let paths = render::Paths {
            statement: statement.as_deref(),
            predicate: predicate.as_deref(),
            statements: self.statements.as_deref(),
            report_json: report_json.as_deref(),
            summary: summary.as_deref(),
            junit: junit.as_deref(),
            evidence: evidence.as_deref(),
        };
        render::outputs(report, &paths)
    }

    pub(crate) fn files(&self, report: &Report) -> Vec<PendingFile> {
        let files = self.files_by_kind(report).into_iter();
        files.map(|(_, file)| file).collect()
    }

    pub(super) fn files_by_kind(&self, report: &Report) -> Vec<(EarlierFile, PendingFile)> {
        let file = |kind, path: &Option<PathBuf>, render: &dyn Fn() -> String| {
            let path = path.clone()?;
            Some((kind, PendingFile { path, text: render() }))
        };
        [
            file(EarlierFile::ReportJson, &self.report_json, &|| {
                render::json(report)
            }),
            file(EarlierFile::ReportText, &self.report_text, &|| {
                render::text_file(report)
            }),
            file(EarlierFile::Summary, &self.summary, &|| render::summary(report)),
            file(EarlierFile::Junit, &self.junit, &|| render::junit(report)),
            file(EarlierFile::Dotenv, &self.dotenv, &|| {
                render::dotenv(&self.outputs(report))
            }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
