#if Xen
internal import CXen
internal import CheckpointImage
internal import Formats
internal import Glibc

/// The state of one vCPU of a PV domain. Of a guest that runs, each record is of a moment of its own.
struct PVVCPU {
  let number: UInt32
  let domain: UInt32
  let hypervisor: Hypervisor
  let layout: PVLayout
  /// Whether the guest has suspended itself: then vCPU 0 says where start_info is.
  var hasSuspended = true

  /// The PFN of a machine frame; fails, with these words, if it is none of the guest's.
  typealias Translation = (_ frame: UInt64, _ what: String) throws(CheckpointError) -> PFN

  /// Its records in the order of Xen's stream; none if it is offline.
  func records(_ pfn: Translation) throws(CheckpointError) -> [MachineRecord] {
    var info = xc_vcpuinfo_t()
    guard unsafe xc_vcpu_getinfo(hypervisor.control, domain, number, &info) == 0 else {
      throw failure("read")
    }
    if info.online == 0 { return [] }
    let parts: [(XenStream.LibxcType, [UInt8])] = [
      (.pvVCPUBasic, try basic(pfn)), (.pvVCPUExtended, try extended()),
      (.pvVCPUXSave, try xsave()), (.pvVCPUMSRs, try msrs()),
    ]
    return parts.filter { !$0.1.isEmpty }.map { record($0.0, $0.1) }
  }

  /// The machine frame of start_info, if this is vCPU 0 of a guest that has suspended itself.
  func startInfoFrame() throws(CheckpointError) -> UInt64 {
    word(layout.edx, of: try context())
  }

  /// The CR3 with a machine frame, as the processor has it.
  func machineCR3() throws(CheckpointError) -> UInt64 {
    word(layout.controlRegisters + 3 * layout.width, of: try context())
  }

  private func record(_ type: XenStream.LibxcType, _ state: [UInt8]) -> MachineRecord {
    var writer = WireWriter(capacity: 8 + state.count)
    writer.write(number)
    writer.write(UInt32(0))
    writer.write(state)
    return MachineRecord(type, writer.bytes)
  }

  private func word(_ offset: Int, of context: [UInt8]) -> UInt64 {
    // SAFETY: bytes have no gaps.
    unsafe layout.word(context.span.bytes, at: offset)
  }

  /// The registers as Xen has them.
  private func context() throws(CheckpointError) -> [UInt8] {
    var context = vcpu_guest_context_any_t()
    guard unsafe xc_vcpu_getcontext(hypervisor.control, domain, number, &context) == 0 else {
      throw failure("read the registers of")
    }
    // SAFETY: the structure is all zeros where Xen's call writes nothing; of a 32-bit guest it is the shorter form.
    return unsafe withUnsafeBytes(of: &context) { unsafe Array($0.prefix(layout.vcpuSize)) }
  }

  /// The registers, with PFNs where Xen has machine frames.
  private func basic(_ pfn: Translation) throws(CheckpointError) -> [UInt8] {
    var context = try context()
    func word(_ offset: Int) -> UInt64 { self.word(offset, of: context) }
    if number == 0, hasSuspended {
      let page = try pfn(word(layout.edx), "start_info")
      layout.set(page, in: &context, at: layout.edx)
    }
    let entries = word(layout.gdtEntries)
    // The last two pages of a descriptor table are Xen's.
    guard entries <= 14 * 512 else {
      throw CheckpointError(
        .damaged, "vCPU \(number) has \(entries) descriptors, expected up to \(14 * 512)",
        file: "domain \(domain)")
    }
    for index in 0..<Int(entries + 511) / 512 {
      let offset = layout.gdtFrames + index * layout.width
      let page = try pfn(word(offset), "vCPU \(number)'s descriptor table")
      layout.set(page, in: &context, at: offset)
    }
    let cr3 = layout.controlRegisters + 3 * layout.width
    let top = try pfn(layout.frame(cr3: word(cr3)), "vCPU \(number)'s CR3")
    layout.set(layout.cr3(frame: top), in: &context, at: cr3)
    // CR1 is where Xen keeps the page table of user mode, which only 64-bit guests have.
    let cr1 = layout.controlRegisters + layout.width
    if layout.levels == 4, word(cr1) != 0 {
      let user = try pfn(word(cr1) >> 12, "vCPU \(number)'s user page table")
      layout.set(user << 12 | 1, in: &context, at: cr1)
    }
    return context
  }

  private func extended() throws(CheckpointError) -> [UInt8] {
    var state = xen_domctl_ext_vcpucontext()
    guard unsafe vmckpt_vcpu_extended(hypervisor.calls, domain, number, &state) == 0 else {
      throw failure("read the extended state of")
    }
    // SAFETY: as above; at most the structure is copied.
    let size = Int(state.size)
    return unsafe withUnsafeBytes(of: &state) { unsafe Array($0.prefix(size)) }
  }

  private func xsave() throws(CheckpointError) -> [UInt8] {
    let room = unsafe vmckpt_vcpu_xsave(hypervisor.calls, domain, number, nil, 0)
    guard room >= 0 else { throw failure("read the size of the vector registers of") }
    if room == 0 { return [] }
    var state = [UInt8](repeating: 0, count: Int(room))
    let size = unsafe vmckpt_vcpu_xsave(
      hypervisor.calls, domain, number, &state, UInt32(room))
    guard size >= 0 else { throw failure("read the vector registers of") }
    return Array(state.prefix(Int(size)))
  }

  private func msrs() throws(CheckpointError) -> [UInt8] {
    var msrs = [xen_domctl_vcpu_msr](repeating: xen_domctl_vcpu_msr(), count: 64)
    let count = unsafe vmckpt_vcpu_msrs(
      hypervisor.calls, domain, number, &msrs, UInt32(msrs.count))
    guard count >= 0 else { throw failure("read the MSRs of") }
    // SAFETY: an MSR is three numbers without gaps.
    return unsafe msrs.prefix(Int(count)).withUnsafeBytes { unsafe Array($0) }
  }

  private func failure(_ doing: String) -> CheckpointError {
    hypervisor.failure("\(doing) vCPU \(number)", domain)
  }
}
#endif
