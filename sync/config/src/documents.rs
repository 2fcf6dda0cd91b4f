//! The three documents of a site, and typed edits of them.

use model::{
    Millis, SiteId,
    change::{Change, Doc},
};

use crate::{
    change::{Named, writes},
    document::{Document, Scalar},
    error::Error,
    rules, versions,
};

/// Which side a person edits at. Kept with the change, so that a history can say where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    Centre,
    Branch,
}

impl Author {
    fn name(self) -> &'static str {
        match self {
            Author::Centre => "centre",
            Author::Branch => "branch",
        }
    }
}

/// What a site runs by.
#[derive(Debug, Clone)]
pub struct Documents {
    site_id: SiteId,
    pub org: Document,
    pub site: Document,
    pub local: Document,
}

impl Documents {
    /// Three empty documents. `actor` is random and fresh for every start of the process.
    pub fn new(site: SiteId, actor: [u8; 16]) -> Documents {
        Documents {
            org: Document::new(Doc::Org, &site, actor),
            site: Document::new(Doc::Site, &site, actor),
            local: Document::new(Doc::Local, &site, actor),
            site_id: site,
        }
    }

    pub fn site_id(&self) -> &SiteId {
        &self.site_id
    }

    pub fn document(&self, doc: Doc) -> &Document {
        match doc {
            Doc::Org => &self.org,
            Doc::Site => &self.site,
            Doc::Local => &self.local,
        }
    }

    pub fn document_mut(&mut self, doc: Doc) -> &mut Document {
        match doc {
            Doc::Org => &mut self.org,
            Doc::Site => &mut self.site,
            Doc::Local => &mut self.local,
        }
    }

    /// Writes a change into a document. Returns it encoded, to be stored before anybody is told; None when everything
    /// is as the change wants it. On an error nothing has changed, and the error names the field and its bounds.
    pub fn edit(&mut self, doc: Doc, change: &Change, author: Author, at: Millis) -> Result<Option<Vec<u8>>, Error> {
        if author == Author::Branch && doc != Doc::Local {
            return Err(Error::NotTheirs { doc });
        }
        let mut writes = writes(change)?;
        writes.fields.extend(versions::beside(self.document(doc), change, at)?);
        let allowed = |path: &str| rules::of(path).is_some_and(|rule| rule.by.contains(&doc));
        if !writes.fields.iter().all(|(path, _)| allowed(path)) {
            return Err(Error::WrongDocument { doc });
        }
        if let Some(target) = writes.target.take().filter(|_| doc != Doc::Org) {
            self.expect(doc, target)?;
        }
        for named in writes.refers.drain(..) {
            self.expect(Doc::Local, named)?;
        }
        if let Some(prefix) = writes.whole.take() {
            let rest = self.rest(doc, &prefix, &writes.fields);
            writes.fields.extend(rest);
        }
        let document = self.document_mut(doc);
        let stands = |path: &str, scalar: &Scalar| document.scalar(path) == Some((scalar.clone(), false));
        writes.fields.retain(|(path, scalar)| !stands(path, scalar));
        if writes.fields.is_empty() {
            return Ok(None);
        }
        document.write(&writes.fields, author.name(), at).map(Some)
    }

    /// What is still said under a prefix, here or in a document below, and must be emptied.
    fn rest(&self, doc: Doc, prefix: &str, written: &[(String, Scalar)]) -> Vec<(String, Scalar)> {
        let below = if doc == Doc::Local { vec![&self.site, &self.local] } else { vec![self.document(doc)] };
        let mut paths: Vec<String> = below.iter().flat_map(|document| document.under(prefix)).collect();
        paths.sort();
        paths.dedup();
        paths.retain(|path| written.iter().all(|(other, _)| other != path));
        paths.retain(|path| rules::of(path).is_some_and(|rule| rule.by.contains(&doc)));
        paths.into_iter().map(|path| (path, Scalar::Null)).collect()
    }

    fn expect(&self, doc: Doc, (kind, id): Named) -> Result<(), Error> {
        let path = match kind {
            "numbers" | "flows" | "places" => format!("{kind}/{id}"),
            _ => format!("{kind}/{id}/is"),
        };
        let seen = if doc == Doc::Local { vec![&self.local, &self.site] } else { vec![self.document(doc)] };
        let said = seen.into_iter().find_map(|document| document.scalar(&path)).map(|(scalar, _)| scalar);
        match said {
            Some(Scalar::Flag(true) | Scalar::Text(_)) => Ok(()),
            _ => Err(Error::Unknown { what: kind, id }),
        }
    }
}
