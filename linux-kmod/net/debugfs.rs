// SPDX-License-Identifier: GPL-2.0-only

//! Files in debugfs, each shown by a Rust value.
//!
//! The file operations name the module as their owner: while a file is open the
//! kernel refuses to unload it (`rmmod`: "Module muennet is in use").
//!
//! C headers: `include/linux/debugfs.h`, `include/linux/seq_file.h`

use crate::bindings;
use core::{fmt, marker::PhantomData, ptr};
use kernel::{ffi::c_void, prelude::*, str::CString};

/// Writes the content of a file.
pub(crate) trait Show: Send + Sync + 'static {
    /// Writes the content as it is now. May sleep.
    fn show(&self, text: &mut Text) -> fmt::Result;
}

/// A folder in debugfs that holds, for each value, a folder with one file.
/// Dropping it removes all of them, after the reads in progress.
///
/// A module creates it last in its init function: a failed init frees the module
/// without waiting for open files.
pub(crate) struct Folder<T: Show> {
    /// The folder; an error pointer where there is no debugfs, which the kernel's
    /// functions accept.
    root: *mut bindings::dentry,
    /// Dropped after the files, which point to its elements.
    _shown: KVec<(CString, T)>,
}

// SAFETY: debugfs entries may be removed by any thread.
unsafe impl<T: Show> Send for Folder<T> {}
// SAFETY: a shared reference offers nothing.
unsafe impl<T: Show> Sync for Folder<T> {}

impl<T: Show> Folder<T> {
    /// Makes `root`, and for each value a folder of the name beside it with the file
    /// `file`. Errors of debugfs are ignored, as the kernel asks for.
    pub(crate) fn new(root: &CStr, file: &CStr, shown: KVec<(CString, T)>) -> Self {
        // SAFETY: NUL-terminated names. The values stay where they are: the vector's
        // allocation is not touched until `drop` has removed the files.
        let root = unsafe {
            let root = bindings::muennet_debugfs_create_dir(root.as_char_ptr(), ptr::null_mut());
            for (name, value) in &shown {
                let folder = bindings::muennet_debugfs_create_dir(name.as_char_ptr(), root);
                bindings::muennet_debugfs_create_file(
                    file.as_char_ptr(),
                    0o444,
                    folder,
                    ptr::from_ref(value).cast_mut().cast(),
                    &Operations::<T>::TABLE,
                );
            }
            root
        };
        Self {
            root,
            _shown: shown,
        }
    }
}

impl<T: Show> Drop for Folder<T> {
    fn drop(&mut self) {
        // SAFETY: made by `new`. Removes what is in the folder too, and waits for reads.
        unsafe { bindings::muennet_debugfs_remove(self.root) };
    }
}

/// The text of a file while it is written.
pub(crate) struct Text(*mut bindings::seq_file);

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: the file that `show` was called with, and as many bytes as are said.
        let full = unsafe { bindings::seq_write(self.0, text.as_ptr().cast(), text.len()) };
        // A full buffer is enlarged by the kernel, which then calls `show` again.
        if full == 0 {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

/// The C operations of files that show a `T`.
struct Operations<T>(PhantomData<T>);

impl<T: Show> Operations<T> {
    /// Kept by the module's reference count: each open file holds `owner`. A read that
    /// overlaps `debugfs_remove` is waited for; one that follows it fails with EIO.
    const TABLE: bindings::file_operations = bindings::file_operations {
        owner: &raw mut bindings::__this_module,
        open: Some(Self::open),
        read: Some(bindings::seq_read),
        llseek: Some(bindings::seq_lseek),
        release: Some(bindings::single_release),
        ..pin_init::zeroed()
    };

    unsafe extern "C" fn open(inode: *mut bindings::inode, file: *mut bindings::file) -> i32 {
        // SAFETY: the kernel calls with an inode of `new` and the file that it opens.
        unsafe { bindings::single_open(file, Some(Self::show), (*inode).i_private) }
    }

    unsafe extern "C" fn show(file: *mut bindings::seq_file, _: *mut c_void) -> i32 {
        // SAFETY: `open` passed the value of `new`, which stays while a read is in progress.
        let shown = unsafe { &*(*file).private.cast::<T>() };
        // The one error is a full buffer, of which the kernel knows.
        let _ = shown.show(&mut Text(file));
        0
    }
}
