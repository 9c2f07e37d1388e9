internal import CheckpointImage

extension VCPU {
  private static let wideSize = 5168

  /// Reads an X86_PV_VCPU_BASIC record: `vcpu_guest_context` of a 64-bit or a 32-bit guest.
  init(pv payload: [UInt8]) throws(CheckpointError) {
    self = try WireReader.read(payload, "X86_PV_VCPU_BASIC") { (reader) throws(CheckpointError) in
      var vcpu = VCPU(id: UInt64(try reader.read(UInt32.self)))
      try reader.skip(4)
      if reader.remaining >= Self.wideSize {
        try vcpu.readWide(&reader)
      } else {
        try vcpu.readNarrow(&reader)
      }
      return vcpu
    }
  }

  private mutating func readWide(_ reader: inout WireReader) throws(CheckpointError) {
    try reader.skip(520)
    for name in [
      "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
      "rsi", "rdi",
    ] { general.append((name, try reader.read())) }
    try reader.skip(8)
    general.append(("rip", try reader.read()))
    try addSegment("cs", slot: 8, &reader)
    general.append(("rflags", try reader.read()))
    general.append(("rsp", try reader.read()))
    for name in ["ss", "es", "ds", "fs", "gs"] { try addSegment(name, slot: 8, &reader) }
    try reader.skip(256 * 16)
    try addTables(UInt64.self, &reader)
    system.append(("kernel_ss", try reader.read()))
    system.append(("kernel_sp", try reader.read()))
    try addControl(UInt64.self, &reader)
    for name in [
      "event_callback_eip", "failsafe_callback_eip", "syscall_callback_eip", "vm_assist",
    ] { system.append((name, try reader.read())) }
    for name in ["fs", "gs"] {
      let base: UInt64 = try reader.read()
      for place in segments.indices where segments[place].name == name {
        segments[place].base = base
      }
    }
    system.append(("gs_base_user", try reader.read()))
    general = Self.inOrder(general)
  }

  private mutating func readNarrow(_ reader: inout WireReader) throws(CheckpointError) {
    func u32(_ reader: inout WireReader) throws(CheckpointError) -> UInt64 {
      UInt64(try reader.read(UInt32.self))
    }
    try reader.skip(516)
    for name in ["ebx", "ecx", "edx", "esi", "edi", "ebp", "eax"] {
      general.append((name, try u32(&reader)))
    }
    try reader.skip(4)
    general.append(("eip", try u32(&reader)))
    try addSegment("cs", slot: 4, &reader)
    general.append(("eflags", try u32(&reader)))
    general.append(("esp", try u32(&reader)))
    for name in ["ss", "es", "ds", "fs", "gs"] { try addSegment(name, slot: 4, &reader) }
    try reader.skip(256 * 8)
    try addTables(UInt32.self, &reader)
    system.append(("kernel_ss", try u32(&reader)))
    system.append(("kernel_sp", try u32(&reader)))
    try addControl(UInt32.self, &reader)
    for name in [
      "event_callback_cs", "event_callback_eip", "failsafe_callback_cs", "failsafe_callback_eip",
      "vm_assist",
    ] { system.append((name, try u32(&reader))) }
  }

  /// A selector of 16 bits in a wider slot.
  private mutating func addSegment(_ name: String, slot: Int, _ reader: inout WireReader)
    throws(CheckpointError)
  {
    segments.append(Segment(name: name, selector: UInt64(try reader.read(UInt16.self))))
    try reader.skip(slot - 2)
  }

  private mutating func addTables<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _: T.Type, _ reader: inout WireReader
  ) throws(CheckpointError) {
    tables.append(("ldt_base", UInt64(try reader.read(T.self))))
    tables.append(("ldt_entries", UInt64(try reader.read(T.self))))
    var frames: [UInt64] = []
    for _ in 0..<16 { frames.append(UInt64(try reader.read(T.self))) }
    let entries = UInt64(try reader.read(T.self))
    tables.append(("gdt_entries", entries))
    // 512 descriptors to a page.
    for place in 0..<(Int(min(entries, 16 * 512)) + 511) / 512 {
      tables.append(("gdt_frame_\(place)", frames[place]))
    }
  }

  private mutating func addControl<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _: T.Type, _ reader: inout WireReader
  ) throws(CheckpointError) {
    for number in 0..<8 {
      let value = UInt64(try reader.read(T.self))
      // CR1 is where Xen keeps the user-mode page table; 5 to 7 are not used.
      if number < 5 { control.append(("cr\(number)", value)) }
    }
    for number in 0..<8 {
      let value = UInt64(try reader.read(T.self))
      if number != 4, number != 5 { debug.append(("dr\(number)", value)) }
    }
  }

  /// In the order in which people look for them, not in that of the stack.
  static func inOrder(_ registers: [Register]) -> [Register] {
    let order =
      ["rax", "rbx", "rcx", "rdx", "rbp", "rsi", "rdi", "rsp"] + (8...15).map { "r\($0)" }
      + ["rip", "rflags"]
    return order.compactMap { name in registers.first { $0.name == name } }
  }
}
