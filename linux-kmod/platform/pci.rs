// SPDX-License-Identifier: GPL-2.0-only

//! A driver of PCI devices.
//!
//! C header: `include/linux/pci.h`

use crate::bindings;
use core::marker::PhantomData;
use kernel::{
    error::{from_result, to_result},
    prelude::*,
    types::Opaque,
};

/// A driver of PCI devices; the value of a device is dropped when it is unbound.
pub(crate) trait Driver: Send + Sized + 'static {
    /// The driver's name.
    const NAME: &'static CStr;

    /// Binds to a device, which is enabled and may access memory.
    fn bind(device: &Device) -> Result<Self>;
}

/// A device that a driver is bound to, or about to be.
#[repr(transparent)]
pub(crate) struct Device(Opaque<bindings::pci_dev>);

impl Device {
    /// # Safety
    ///
    /// `device` is valid for as long as the reference.
    unsafe fn from_raw<'a>(device: *mut bindings::pci_dev) -> &'a Self {
        // SAFETY: by the caller's promise; a transparent wrapper.
        unsafe { &*device.cast() }
    }

    fn as_raw(&self) -> *mut bindings::pci_dev {
        self.0.get()
    }

    /// Its place on the bus.
    pub(crate) fn name(&self) -> &str {
        // SAFETY: a valid device, whose name is NUL-terminated.
        unsafe { CStr::from_char_ptr(bindings::ivshmem_name(self.as_raw())) }
            .to_str()
            .unwrap_or("?")
    }

    /// The guest-physical address and the length of a BAR.
    pub(crate) fn resource(&self, bar: i32) -> Result<(u64, u64)> {
        // SAFETY: a valid device.
        let (start, len) = unsafe {
            (
                bindings::ivshmem_resource_start(self.as_raw(), bar),
                bindings::ivshmem_resource_len(self.as_raw(), bar),
            )
        };
        if len == 0 {
            return Err(ENODEV);
        }
        Ok((start, len))
    }

    /// Takes up to `max` MSI-X vectors.
    pub(crate) fn alloc_vectors(&self, max: u32) -> Result<Vectors> {
        // SAFETY: a valid device.
        let count = unsafe { bindings::ivshmem_alloc_vectors(self.as_raw(), max) };
        to_result(count)?;
        Ok(Vectors {
            device: self.as_raw(),
            // CAST: not negative.
            count: count as u32,
        })
    }
}

/// Interrupt vectors of a device; given back when dropped, which the driver does before
/// it is unbound.
pub(crate) struct Vectors {
    device: *mut bindings::pci_dev,
    count: u32,
}

// SAFETY: vectors may be given back on any CPU.
unsafe impl Send for Vectors {}

impl Vectors {
    /// The number of vectors.
    pub(crate) fn len(&self) -> u32 {
        self.count
    }

    /// The Linux interrupt of a vector.
    pub(crate) fn irq(&self, vector: u32) -> Option<u32> {
        if vector >= self.count {
            return None;
        }
        // SAFETY: the device is bound.
        u32::try_from(unsafe { bindings::pci_irq_vector(self.device, vector) }).ok()
    }
}

impl Drop for Vectors {
    fn drop(&mut self) {
        // SAFETY: taken from this device, which is bound.
        unsafe { bindings::pci_free_irq_vectors(self.device) };
    }
}

/// A registered driver; dropping it unbinds all devices.
pub(crate) struct Registration<T: Driver> {
    driver: Pin<KBox<Opaque<bindings::pci_driver>>>,
    _driver: PhantomData<T>,
}

// SAFETY: a driver may be unregistered from any thread.
unsafe impl<T: Driver> Send for Registration<T> {}
// SAFETY: nothing is offered through a shared reference.
unsafe impl<T: Driver> Sync for Registration<T> {}

impl<T: Driver> Registration<T> {
    pub(crate) fn new(module: &'static ThisModule) -> Result<Self> {
        let driver = KBox::pin_init(
            Opaque::new(bindings::pci_driver {
                name: T::NAME.as_char_ptr(),
                id_table: (&raw const bindings::ivshmem_ids).cast(),
                probe: Some(probe::<T>),
                remove: Some(remove::<T>),
                ..pin_init::zeroed()
            }),
            GFP_KERNEL,
        )?;
        // No "unbind" in sysfs: drivers take memory and interrupts from this module and
        // cannot be told that the device is unbound.
        // SAFETY: not registered yet.
        unsafe { (*driver.get()).driver.suppress_bind_attrs = true };
        // SAFETY: stays where it is until it is unregistered.
        to_result(unsafe {
            bindings::__pci_register_driver(
                driver.get(),
                module.as_ptr().cast(),
                T::NAME.as_char_ptr(),
            )
        })?;
        Ok(Self {
            driver,
            _driver: PhantomData,
        })
    }
}

impl<T: Driver> Drop for Registration<T> {
    fn drop(&mut self) {
        // SAFETY: registered.
        unsafe { bindings::pci_unregister_driver(self.driver.get()) };
    }
}

/// A device that is enabled; disabled when dropped.
struct Enabled(*mut bindings::pci_dev);

impl Drop for Enabled {
    fn drop(&mut self) {
        // SAFETY: enabled by `probe`.
        unsafe { bindings::pci_disable_device(self.0) };
    }
}

unsafe extern "C" fn probe<T: Driver>(
    device: *mut bindings::pci_dev,
    _: *const bindings::pci_device_id,
) -> i32 {
    from_result(|| {
        // SAFETY: the kernel calls with a valid device of the table.
        to_result(unsafe { bindings::pci_enable_device_mem(device) })?;
        let enabled = Enabled(device);
        // SAFETY: as above; bound until `remove`.
        unsafe { bindings::pci_set_master(device) };
        let bound = KBox::new(T::bind(unsafe { Device::from_raw(device) })?, GFP_KERNEL)?;
        // SAFETY: as above.
        unsafe { bindings::ivshmem_set_drvdata(device, KBox::into_raw(bound).cast()) };
        core::mem::forget(enabled);
        Ok(0)
    })
}

unsafe extern "C" fn remove<T: Driver>(device: *mut bindings::pci_dev) {
    let _enabled = Enabled(device);
    // SAFETY: the kernel calls once after `probe`, which left a `T` there.
    drop(unsafe { KBox::<T>::from_raw(bindings::ivshmem_drvdata(device).cast()) });
}
