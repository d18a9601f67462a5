// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which module of a crate names which, read from its sources.

use proc_macro2::{TokenStream, TokenTree};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use syn::{
    visit::{self, Visit},
    Attribute, Item, ItemMod, ItemUse, UseTree,
};

/// A path of modules, from the crate's root on.
pub type Module = Vec<String>;

/// The modules of a crate, and the names that they use.
#[derive(Debug, Default)]
pub struct Sources {
    /// All modules but those of tests.
    pub modules: BTreeSet<Module>,
    /// A module and a path that it names, which ends in a module or an item.
    pub names: BTreeSet<(Module, Module)>,
    /// The names that a module imports, with what they stand for.
    imports: BTreeMap<Module, Module>,
}

impl Sources {
    /// Reads the crate whose root is the file `root`, as the compiler finds its files.
    pub fn read(root: &Path) -> Self {
        let mut sources = Self::default();
        sources.file(root, root.parent().unwrap(), vec![]);
        sources
    }

    /// A path, or what stands behind it when it is a name that the module imports.
    pub fn resolve<'a>(&'a self, path: &'a Module) -> &'a Module {
        let import = (1..=path.len()).find_map(|len| self.imports.get(&path[..len]));
        import.unwrap_or(path)
    }

    /// Reads a module's file; those of its child modules lie in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, module: Module) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        self.items(&parsed.items, file, folder, module);
    }

    fn items(&mut self, items: &[Item], file: &Path, folder: &Path, module: Module) {
        self.modules.insert(module.clone());
        let children = items.iter().filter_map(|item| match item {
            Item::Mod(child) if !is_test(&child.attrs) => Some(child),
            _ => None,
        });
        let children: Vec<_> = children.collect();
        let mut finder = Finder {
            module: &module,
            children: children
                .iter()
                .map(|child| child.ident.to_string())
                .collect(),
            found: BTreeSet::new(),
            imports: vec![],
        };
        items.iter().for_each(|item| finder.visit_item(item));
        let imports = std::mem::take(&mut finder.imports);
        self.imports.extend(imports);
        for path in finder.found {
            self.names.insert((module.clone(), path));
        }
        for child in children {
            let name = child.ident.to_string();
            let path = [module.as_slice(), std::slice::from_ref(&name)].concat();
            match &child.content {
                Some((_, items)) => self.items(items, file, &folder.join(&name), path),
                None => {
                    let (file, folder) = place(child, file, folder, &name);
                    self.file(&file, &folder, path);
                }
            }
        }
    }
}

/// The file of a child module, and the folder of that module's own children.
fn place(child: &ItemMod, parent: &Path, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
    let given = child.attrs.iter().find_map(|attribute| {
        let value = &attribute.meta.require_name_value().ok()?.value;
        let syn::Expr::Lit(literal) = value else {
            return None;
        };
        match &literal.lit {
            syn::Lit::Str(path) if attribute.path().is_ident("path") => Some(path.value()),
            _ => None,
        }
    });
    let file = match given {
        Some(path) => parent.parent().unwrap().join(path),
        None if folder.join(format!("{name}.rs")).exists() => folder.join(format!("{name}.rs")),
        None => folder.join(name).join("mod.rs"),
    };
    let own = if file.ends_with("mod.rs") {
        file.parent().unwrap().to_owned()
    } else {
        file.with_extension("")
    };
    (file, own)
}

/// True for what is compiled for tests or models alone.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else {
            return false;
        };
        let first = list.tokens.to_string();
        let words: Vec<_> = first.split(|c: char| !c.is_alphanumeric()).collect();
        list.path.is_ident("cfg")
            && !first.contains("not (test)")
            && !first.starts_with("not")
            && (words.contains(&"test") || words.contains(&"loom"))
    })
}

/// Finds the paths that the items of one module name.
struct Finder<'a> {
    module: &'a Module,
    children: BTreeSet<String>,
    found: BTreeSet<Module>,
    imports: Vec<(Module, Module)>,
}

impl Finder<'_> {
    fn add(&mut self, words: &[String]) {
        self.found.extend(self.absolute(words));
    }

    fn import(&mut self, words: &[String], name: String) {
        if let Some(path) = self.absolute(words) {
            let name = [self.module.as_slice(), &[name]].concat();
            if name != path {
                self.imports.push((name, path));
            }
        }
    }

    /// The path from the crate's root; `None` for one into another crate.
    fn absolute(&self, words: &[String]) -> Option<Module> {
        let parent = &self.module[..self.module.len().saturating_sub(1)];
        let (base, rest) = match words.split_first() {
            Some((first, rest)) if first == "crate" => (&[][..], rest),
            Some((first, rest)) if first == "super" => (parent, rest),
            Some((first, rest)) if first == "self" => (self.module.as_slice(), rest),
            Some((first, _)) if self.children.contains(first) => (self.module.as_slice(), words),
            _ => return None,
        };
        Some([base, rest].concat())
    }

    fn tree(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: String| [before, &[name]].concat();
        match tree {
            UseTree::Path(path) => self.tree(&with(path.ident.to_string()), &path.tree),
            UseTree::Name(name) if name.ident == "self" => self.add(before),
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                self.add(&with(name.clone()));
                self.import(&with(name.clone()), name);
            }
            UseTree::Rename(renamed) => {
                let words = with(renamed.ident.to_string());
                self.add(&words);
                self.import(&words, renamed.rename.to_string());
            }
            UseTree::Glob(_) => self.add(before),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(before, tree)),
        }
    }

    /// Paths in what a macro is given.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut words = vec![];
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(word) if words.is_empty() || colons == 2 => {
                    words.push(word.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !words.is_empty() => {
                    colons += 1;
                    continue;
                }
                token => {
                    self.add(&std::mem::take(&mut words));
                    match token {
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Ident(word) => words.push(word.to_string()),
                        _ => {}
                    }
                }
            }
            colons = 0;
        }
        self.add(&words);
    }
}

impl Visit<'_> for Finder<'_> {
    fn visit_item(&mut self, item: &Item) {
        match item {
            // Modules have finders of their own.
            Item::Mod(_) => {}
            Item::Fn(function) if is_test(&function.attrs) => {}
            _ => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let words = path.segments.iter().map(|word| word.ident.to_string());
        self.add(&words.collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &syn::Macro) {
        self.tokens(called.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &Attribute) {}

    fn visit_visibility(&mut self, _: &syn::Visibility) {}
}
