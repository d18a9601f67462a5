// SPDX-License-Identifier: MIT OR Apache-2.0
//! The monitor: runs the subject, and does at each exit what Muen's kernel does.

use crate::{
    log,
    platform::{self, x86::tsc::counter, Machine, Platform},
    subject::{self, Refusal, Subject},
    svm::{self, exit, intercept, ControlBlock, Registers},
    words::Words,
};
use core::{fmt, sync::atomic::Ordering, time::Duration};
use muennet_core::notify::Notifier;

static BLOCK: ControlBlock = ControlBlock::new();

/// Accesses that stop a subject on Muen, or the system.
enum Violation {
    /// CPUID.
    Cpuid,
    /// A port.
    Port,
    /// A model-specific register.
    Register,
    /// A write to the input channel.
    Input(u64),
    /// A hypercall with a number that is no event's.
    NoEvent(u64),
    /// A fault while the fault before it was delivered, twice.
    TripleFault,
    /// A state that SVM refuses; the monitor's mistake.
    Invalid,
    /// An exit for another reason.
    Exit(u64),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpuid => f.write_str("CPUID"),
            Self::Port => f.write_str("a port"),
            Self::Register => f.write_str("a model-specific register"),
            Self::Input(address) => write!(f, "a write to the input channel, to {address:#x}"),
            Self::NoEvent(number) => write!(f, "a hypercall for event {number}, which is none"),
            Self::TripleFault => f.write_str("a triple fault"),
            Self::Invalid => f.write_str("a state that the processor refuses"),
            Self::Exit(code) => write!(f, "exit {code:#x}"),
        }
    }
}

/// Counts of the subject's exits, for the line that is printed once a second.
#[derive(Debug, Default)]
struct Counters {
    exits: u64,
    /// Sleeps that ended.
    wakes: u64,
    hypercalls: u64,
    /// Deadlines that were reached.
    timers: u64,
}

/// The subject, and what it runs on.
pub struct Monitor {
    machine: Machine,
    bell: <Machine as Platform>::Bell,
    subject: Subject,
    registers: Registers,
    /// Vectors that are due.
    net: bool,
    timer: bool,
    counters: Counters,
    said: u64,
}

/// Microseconds between two lines.
const SAY: u64 = 1_000_000;

/// Goes on, or ends.
enum Next {
    Run,
    End,
}

const EXCEPTION_INVALID_OPCODE: u64 = 6;
const EXCEPTION_PAGE_FAULT: u64 = 14;
/// Exceptions that push an error code.
const WITH_CODE: u64 = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17;
/// Bit of a page fault's code: it was a write.
const WRITE: u64 = 1 << 1;
/// The interrupt flag.
const INTERRUPTS: u64 = 1 << 9;

impl Monitor {
    /// Makes the subject of the image, in the state that Muen starts a native subject in.
    pub fn new(mut machine: Machine, boot: u64) -> Result<Self, Refusal> {
        let words = Words::parse(machine.command_line())?;
        let subject = Subject::new(&machine, boot, &words)?;
        let (event, vector) = subject::numbers(&machine)?;
        machine.listen(vector).map_err(Refusal::Machine)?;
        let bell = machine.bell(event).ok_or(Refusal::NoChannel("event"))?;
        log!("sinfo {}, entry {:#x}", words.sinfo, subject.entry);
        svm::enable();
        set_up(&subject);
        Ok(Self {
            machine,
            bell,
            subject,
            registers: Registers::default(),
            net: false,
            timer: false,
            counters: Counters::default(),
            said: 0,
        })
    }

    /// Runs the subject until it halts for good. The machine goes on: were it gone, the
    /// server would end the subject's channels.
    pub fn run(mut self) -> ! {
        loop {
            self.offer();
            // SAFETY: the subject's address space was made of the pool's pages and of channels.
            unsafe { svm::enter(&BLOCK, &mut self.registers) };
            self.counters.exits += 1;
            self.accept();
            self.say();
            match self.exit(BLOCK.get(svm::EXIT)) {
                Ok(Next::Run) => continue,
                Ok(Next::End) => log!("halted"),
                Err(violation) => {
                    log!("VIOLATION at {:#x}: {violation}", BLOCK.get(svm::RIP));
                }
            }
            platform::halt();
        }
    }

    /// Makes the most urgent vector pending in the subject.
    fn offer(&mut self) {
        self.look_at_timer();
        let vector = match (self.timer, self.net) {
            (true, _) => subject::TIMER_VECTOR,
            (false, true) => subject::NET_IN_VECTOR,
            (false, false) => {
                BLOCK.set(svm::VIRTUAL, svm::VIRTUAL_MASKING);
                return;
            }
        };
        BLOCK.set(svm::VECTOR, vector.into());
        BLOCK.set(
            svm::VIRTUAL,
            svm::VIRTUAL_MASKING | svm::VIRTUAL_ANY | svm::VIRTUAL_DUE,
        );
    }

    /// Takes note of whether the vector was delivered.
    fn accept(&mut self) {
        if BLOCK.get(svm::VIRTUAL) & svm::VIRTUAL_DUE != 0 {
            return;
        }
        if core::mem::take(&mut self.timer) {
            return;
        }
        self.net = false;
    }

    /// The timed event: once its deadline has passed, the event is triggered and the deadline
    /// is none.
    fn look_at_timer(&mut self) {
        let [deadline, event] = self.subject.timed_event;
        if counter() < deadline.load(Ordering::Relaxed) {
            return;
        }
        deadline.store(u64::MAX, Ordering::Relaxed);
        // CAST: the lowest byte is the number.
        if event.load(Ordering::Relaxed) as u8 == subject::TIMER_EVENT {
            self.timer = true;
            self.counters.timers += 1;
        }
    }

    fn exit(&mut self, code: u64) -> Result<Next, Violation> {
        match code {
            exit::INTERRUPT => {
                // The device's, noted already; or a timer's that came too late.
                self.net |= self.machine.sleep(Some(Duration::ZERO));
                Ok(Next::Run)
            }
            exit::HLT => Ok(self.halt()),
            exit::CPUID => Err(Violation::Cpuid),
            exit::PORT => Err(Violation::Port),
            exit::REGISTER => Err(Violation::Register),
            exit::EXCEPTION..exit::EXCEPTIONS_END => self.exception(code - exit::EXCEPTION),
            exit::SHUTDOWN => Err(Violation::TripleFault),
            exit::INVALID => Err(Violation::Invalid),
            code => Err(Violation::Exit(code)),
        }
    }

    /// `hlt`: the subject sleeps until a vector is due.
    fn halt(&mut self) -> Next {
        if BLOCK.get(svm::RFLAGS) & INTERRUPTS == 0 {
            return Next::End;
        }
        BLOCK.set(svm::RIP, BLOCK.get(svm::RIP) + 1);
        BLOCK.set(svm::SHADOW, 0);
        loop {
            self.look_at_timer();
            if self.timer || self.net {
                self.counters.wakes += 1;
                return Next::Run;
            }
            let deadline = self.subject.timed_event[0].load(Ordering::Relaxed);
            let limit = (deadline != u64::MAX).then(|| {
                let ticks = deadline.saturating_sub(counter());
                let micros = u128::from(ticks) * 1000 / u128::from(self.machine.tsc_khz()) + 1;
                // CAST: a deadline beyond half a million years is cut to less.
                Duration::from_micros(micros as u64)
            });
            self.net |= self.machine.sleep(limit);
        }
    }

    /// VMCALL is an invalid instruction here, and a hypercall. All other exceptions are the
    /// subject's, since its specification sets the masks to 0.
    fn exception(&mut self, number: u64) -> Result<Next, Violation> {
        let rip = BLOCK.get(svm::RIP);
        let (code, address) = (BLOCK.get(svm::EXIT_INFO_1), BLOCK.get(svm::EXIT_INFO_2));
        if number == EXCEPTION_INVALID_OPCODE && self.subject.is_vmcall(rip) {
            BLOCK.set(svm::RIP, rip + 3);
            self.counters.hypercalls += 1;
            return self.hypercall(BLOCK.get(svm::RAX)).map(|()| Next::Run);
        }
        if number == EXCEPTION_PAGE_FAULT {
            if code & WRITE != 0 && self.subject.input.contains(&address) {
                return Err(Violation::Input(address));
            }
            BLOCK.set(svm::CR2, address);
        }
        log!("exception {number}, code {code:#x}, address {address:#x}, at {rip:#x}");
        let mut inject = 1 << 31 | 3 << 8 | number;
        if WITH_CODE & 1 << number != 0 {
            inject |= 1 << 11 | code << 32;
        }
        BLOCK.set(svm::INJECT, inject);
        Ok(Next::Run)
    }

    fn hypercall(&mut self, number: u64) -> Result<(), Violation> {
        if number == u64::from(subject::NET_OUT_EVENT) {
            self.bell.notify();
        } else if number == u64::from(subject::TIMER_EVENT) {
            self.timer = true;
        } else {
            return Err(Violation::NoEvent(number));
        }
        Ok(())
    }

    /// Says once a second what the subject did.
    fn say(&mut self) {
        let now = self.machine.now();
        if now - self.said < SAY {
            return;
        }
        self.said = now;
        let Counters {
            exits,
            wakes,
            hypercalls,
            timers,
        } = self.counters;
        log!("{now} us: {exits} exits, {wakes} wakes, {timers} timers, {hypercalls} hypercalls");
    }
}

/// Sets the control block up: what the subject leaves for, and how it starts.
fn set_up(subject: &Subject) {
    /// Segments: present, 64-bit code and data of the kernel.
    const CODE: u64 = 0xa9b;
    const DATA: u64 = 0xc93;
    /// Write protection, paging, protected mode; physical address extension, SSE.
    const CR0: u64 = 1 << 31 | 1 << 16 | 1 << 5 | 1 << 4 | 1;
    const CR4: u64 = 1 << 5 | 1 << 9 | 1 << 10;
    /// SVM (which the guest's copy must have), no-execute, long mode.
    const EFER: u64 = 1 << 12 | 1 << 11 | 1 << 10 | 1 << 8;
    let intercepts = intercept::INTERRUPT
        | intercept::RDPMC
        | intercept::CPUID
        | intercept::INVD
        | intercept::HLT
        | intercept::INVLPG
        | intercept::PORTS
        | intercept::REGISTERS
        | intercept::SHUTDOWN
        | intercept::VIRTUAL_MACHINES
        | intercept::RDTSCP
        | intercept::WBINVD
        | intercept::MONITOR
        | intercept::MWAIT
        | intercept::XSETBV;
    for (field, value) in [
        // CR3 is the kernel's; CR2 and CR8 alone are the subject's to write.
        (svm::CR_READS, 1 << 3),
        (svm::CR_WRITES, 0xffff & !(1 << 2 | 1 << 8)),
        (svm::DR_ACCESSES, u64::MAX),
        (svm::EXCEPTIONS, u64::MAX),
        (svm::INTERCEPTS_LOW, intercepts),
        (svm::INTERCEPTS_HIGH, intercepts >> 32),
        (svm::ASID, 1),
        // The descriptor table is Muen's, and out of the subject's reach: its limit is 0.
        (svm::CS, 0x08),
        (svm::CS_ATTRIBUTES, CODE),
        (svm::CS_LIMIT, u64::MAX),
        (svm::SS, 0x10),
        (svm::SS_ATTRIBUTES, DATA),
        (svm::SS_LIMIT, u64::MAX),
        (svm::EFER, EFER),
        (svm::CR4, CR4),
        (svm::CR3, subject.pages.root()),
        (svm::CR0, CR0),
        (svm::RFLAGS, 1 << 1),
        (svm::RIP, subject.entry),
    ] {
        BLOCK.set(field, value);
    }
    BLOCK.set_maps();
}
