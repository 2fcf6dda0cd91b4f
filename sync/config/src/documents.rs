//! The three documents of a site, and typed edits of them.

use model::{
    Millis, SiteId,
    change::{Change, Doc},
};

use crate::{
    change::{Named, writes},
    document::Document,
    error::Error,
    rules,
    scalar::Scalar,
    versions,
};

/// Most fields of one change, and most bytes of them: well below what a replica refuses.
const PART_FIELDS_MAX: usize = 500;
const PART_BYTES_MAX: usize = 40 * 1024;
/// Of a field beside its path and its text.
const FIELD_OVERHEAD: usize = 16;

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
        let fields = writes.fields.iter().map(|(path, scalar)| (path.as_str(), Some(scalar)));
        document.write(fields, author.name(), at).map(Some)
    }

    /// Writes fields as they stood at another time, or takes away what is said (None). Returns the changes encoded, to
    /// be stored before anybody is told; none where everything stands so already. On an error nothing has changed.
    pub fn restore(
        &mut self,
        doc: Doc,
        fields: &[(String, Option<Scalar>)],
        author: Author,
        at: Millis,
    ) -> Result<Vec<Vec<u8>>, Error> {
        if author == Author::Branch && doc != Doc::Local {
            return Err(Error::NotTheirs { doc });
        }
        let allowed = |path: &str| rules::of(path).is_some_and(|rule| rule.by.contains(&doc));
        // What may not be said here may still be taken away.
        if !fields.iter().all(|(path, scalar)| scalar.is_none() || allowed(path)) {
            return Err(Error::WrongDocument { doc });
        }
        let document = self.document_mut(doc);
        let stands = |path: &str, scalar: &Option<Scalar>| match (document.scalar(path), scalar) {
            (Some((stands, false)), Some(scalar)) => stands == *scalar,
            (None, None) => true,
            _ => false,
        };
        let fields: Vec<_> = fields.iter().filter(|(path, scalar)| !stands(path, scalar)).collect();
        let before = document.clone();
        let mut changes = Vec::new();
        for part in parts(&fields) {
            let part = part.iter().map(|(path, scalar)| (path.as_str(), scalar.as_ref()));
            match document.write(part, author.name(), at) {
                Ok(bytes) => changes.push(bytes),
                Err(error) => {
                    *document = before;
                    return Err(error);
                }
            }
        }
        Ok(changes)
    }

    /// Where the branch itself says something at the paths that a change of the plan writes: its word would stand. Fields
    /// for [`Documents::restore`] that take it away.
    pub fn overruled(&self, change: &Change) -> Result<Vec<(String, Option<Scalar>)>, Error> {
        let mut writes = writes(change)?;
        let prefix = writes.whole.take();
        let mut paths: Vec<String> = writes.fields.into_iter().map(|(path, _)| path).collect();
        paths.extend(prefix.into_iter().flat_map(|prefix| self.local.under(&prefix)));
        paths.sort();
        paths.dedup();
        paths.retain(|path| self.local.scalar(path).is_some());
        Ok(paths.into_iter().map(|path| (path, None)).collect())
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

/// Fields in changes that every replica takes: neither too many nor too large.
fn parts<'a>(fields: &'a [&'a (String, Option<Scalar>)]) -> Vec<&'a [&'a (String, Option<Scalar>)]> {
    let (mut parts, mut from, mut bytes) = (Vec::new(), 0, 0_usize);
    for (at, (path, scalar)) in fields.iter().enumerate() {
        let text = if let Some(Scalar::Text(text)) = scalar { text.len() } else { 0 };
        let more = path.len().saturating_add(text).saturating_add(FIELD_OVERHEAD);
        if at.saturating_sub(from) >= PART_FIELDS_MAX || bytes.saturating_add(more) > PART_BYTES_MAX {
            parts.push((from, at));
            (from, bytes) = (at, 0);
        }
        bytes = bytes.saturating_add(more);
    }
    parts.push((from, fields.len()));
    parts.into_iter().filter_map(|(from, to)| fields.get(from..to)).filter(|part| !part.is_empty()).collect()
}
