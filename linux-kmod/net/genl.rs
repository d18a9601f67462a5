// SPDX-License-Identifier: GPL-2.0-only

//! Generic netlink families.
//!
//! C header: `include/net/genetlink.h`

use super::{
    namespace::Net,
    netlink::{Ack, Attributes, Message, Policy},
};
use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    error::{from_result, to_result},
    prelude::*,
    types::Opaque,
};

/// Answers the requests of a family. Callers are privileged in their
/// network namespace, as the family makes sure.
pub(crate) trait Handler: 'static {
    /// Name of the family.
    const NAME: &'static CStr;
    /// Its version.
    const VERSION: u32;
    /// The types of its attributes, by their numbers.
    const POLICIES: &'static [Policy];
    /// Its commands.
    const COMMANDS: &'static [Command];
    /// The first command whose requests must be strictly as specified.
    const STRICT_FROM: u8;

    /// The family that it answers for.
    fn family() -> &'static Family<Self>
    where
        Self: Sized;

    /// Does what `command` says.
    fn request(command: u8, request: &Request<'_>) -> Result;

    /// Lists what `command` asks for.
    fn dump(command: u8, dump: &mut Dump<'_>) -> Result;
}

/// A command of a family.
#[repr(transparent)]
pub(crate) struct Command(bindings::genl_small_ops);

// SAFETY: pointers to functions only.
unsafe impl Sync for Command {}

impl Command {
    /// A command that does something.
    pub(crate) const fn request<H: Handler>(number: u8) -> Self {
        Self(bindings::genl_small_ops {
            doit: Some(request::<H>),
            ..Self::common(number, H::STRICT_FROM)
        })
    }

    /// A command that lists something.
    pub(crate) const fn dump<H: Handler>(number: u8) -> Self {
        Self(bindings::genl_small_ops {
            dumpit: Some(dump::<H>),
            ..Self::common(number, H::STRICT_FROM)
        })
    }

    // CAST: the kernel's own widths.
    const fn common(number: u8, strict_from: u8) -> bindings::genl_small_ops {
        bindings::genl_small_ops {
            cmd: number,
            flags: bindings::GENL_UNS_ADMIN_PERM as u8,
            validate: if number < strict_from {
                bindings::genl_validate_flags_GENL_DONT_VALIDATE_STRICT as u8
            } else {
                0
            },
            ..pin_init::zeroed()
        }
    }
}

/// A request.
pub(crate) struct Request<'a> {
    skb: *mut bindings::sk_buff,
    /// Its attributes.
    pub(crate) attributes: Attributes<'a>,
    /// Carries the reason of a refusal to its sender.
    pub(crate) ack: Ack,
}

impl Request<'_> {
    /// The sender's network namespace.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: the sender's socket lives while its request is served, and with
        // it the namespace.
        unsafe { Net::from_raw(bindings::muennet_sock_net(self.skb)) }
    }

    /// True if the sender has CAP_NET_ADMIN over `net`.
    pub(crate) fn administers(&self, net: &Net) -> bool {
        // SAFETY: a request that is being served, and a valid namespace.
        unsafe { bindings::muennet_net_admin(self.skb, net.as_raw()) }
    }
}

/// A list that is being sent, in as many messages as it takes.
pub(crate) struct Dump<'a> {
    skb: *mut bindings::sk_buff,
    callback: &'a mut bindings::netlink_callback,
    command: u8,
    family: *const bindings::genl_family,
    start: usize,
    index: usize,
    full: bool,
}

impl Dump<'_> {
    /// The receiver's network namespace.
    pub(crate) fn net(&self) -> &Net {
        // SAFETY: as for `Request::net`.
        unsafe { Net::from_raw(bindings::muennet_sock_net((*self.callback).skb)) }
    }

    /// True if nothing more fits now: further entries are left for the next call.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Sends the next entry of the list, as `fill` writes it. Entries that were
    /// sent before, or do not fit any more, are passed over.
    pub(crate) fn entry(&mut self, fill: impl FnOnce(&mut Message) -> Result) {
        if self.full {
            return;
        }
        if self.index < self.start {
            self.index += 1;
            return;
        }
        // SAFETY: the kernel's own message and callback.
        unsafe {
            let portid = bindings::muennet_portid(self.callback.skb);
            let seq = (*self.callback.nlh).nlmsg_seq;
            // CAST: the kernel's own width.
            let flags = bindings::NLM_F_MULTI as i32;
            let header =
                bindings::genlmsg_put(self.skb, portid, seq, self.family, flags, self.command);
            if header.is_null() {
                self.full = true;
            } else if fill(&mut Message::from_raw(self.skb)).is_err() {
                bindings::muennet_genlmsg_cancel(self.skb, header);
                self.full = true;
            } else {
                bindings::muennet_genlmsg_end(self.skb, header);
                self.index += 1;
            }
        }
    }
}

/// A family; a `static`. Its `module` is counted while a list is sent, and
/// `genl_unregister_family` waits for requests in progress before the module goes.
pub(crate) struct Family<H>(Opaque<bindings::genl_family>, PhantomData<H>);

// SAFETY: the kernel serialises what it does with it.
unsafe impl<H: Handler> Sync for Family<H> {}

/// A registered family; dropping it unregisters the family, after the requests
/// that are being served.
pub(crate) struct Registration<H: Handler>(&'static Family<H>);

impl<H: Handler> Family<H> {
    pub(crate) const fn new() -> Self {
        let mut name = [0; bindings::GENL_NAMSIZ as usize];
        let bytes = H::NAME.to_bytes();
        let mut at = 0;
        while at < bytes.len() {
            name[at] = bytes[at] as _;
            at += 1;
        }
        // CAST: lengths of tables, known when compiling.
        Self(
            Opaque::new(bindings::genl_family {
                name,
                version: H::VERSION,
                maxattr: H::POLICIES.len() as u32 - 1,
                policy: Policy::as_raw(H::POLICIES),
                small_ops: H::COMMANDS.as_ptr().cast(),
                n_small_ops: H::COMMANDS.len() as u8,
                resv_start_op: H::STRICT_FROM,
                ..pin_init::zeroed()
            }),
            PhantomData,
        )
    }

    /// Registers the family of `module`; call it once at a time.
    pub(crate) fn register(&'static self, module: &'static ThisModule) -> Result<Registration<H>> {
        // SAFETY: ours alone until registered; it lives forever.
        unsafe {
            (*self.0.get()).module = module.as_ptr().cast();
            bindings::muennet_family_netnsok(self.0.get());
            to_result(bindings::genl_register_family(self.0.get()))?;
        }
        Ok(Registration(self))
    }
}

impl<H: Handler> Drop for Registration<H> {
    fn drop(&mut self) {
        // SAFETY: registered.
        unsafe { bindings::genl_unregister_family(self.0 .0.get()) };
    }
}

unsafe extern "C" fn request<H: Handler>(
    skb: *mut bindings::sk_buff,
    info: *mut bindings::genl_info,
) -> i32 {
    from_result(|| {
        // SAFETY: the kernel calls with a request that it checked by the policy.
        let (command, request) = unsafe {
            let request = Request {
                skb,
                attributes: Attributes::from_raw((*info).attrs, H::POLICIES.len()),
                ack: Ack::from_raw((*info).extack),
            };
            ((*(*info).genlhdr).cmd, request)
        };
        H::request(command, &request)?;
        Ok(0)
    })
}

unsafe extern "C" fn dump<H: Handler>(
    skb: *mut bindings::sk_buff,
    callback: *mut bindings::netlink_callback,
) -> i32 {
    from_result(|| {
        // SAFETY: the kernel calls with its own message and callback.
        let (args, mut dump) = unsafe {
            let args = bindings::muennet_cb_args(callback);
            let dump = Dump {
                skb,
                callback: &mut *callback,
                command: bindings::muennet_dump_command(callback),
                family: H::family().0.get(),
                // CAST: what was put there below.
                start: *args as usize,
                index: 0,
                full: false,
            };
            (args, dump)
        };
        H::dump(dump.command, &mut dump)?;
        // SAFETY: as above. CAST: a message's length.
        let len = unsafe {
            *args = dump.index as _;
            (*skb).len as i32
        };
        // An entry that does not fit an empty message never will.
        if dump.full && len == 0 {
            return Err(EMSGSIZE);
        }
        Ok(len)
    })
}
