internal import CheckpointImage

extension VCPU {
  /// Reads a CPU descriptor of an HVM context: `hvm_hw_cpu`, 1032 bytes; older Xen left out the end.
  init(hvm data: [UInt8], id: UInt64) throws(CheckpointError) {
    self.init(id: id)
    self = try WireReader.read(data, "HVM_CONTEXT CPU") { (reader) throws(CheckpointError) in
      var vcpu = VCPU(id: id)
      func registers<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ names: [String], _: T.Type, _ reader: inout WireReader
      ) throws(CheckpointError) -> [Register] {
        var values: [Register] = []
        for name in names { values.append((name, UInt64(try reader.read(T.self)))) }
        return values
      }
      try reader.skip(512)
      vcpu.general = try registers(
        ["rax", "rbx", "rcx", "rdx", "rbp", "rsi", "rdi", "rsp"] + (8...15).map { "r\($0)" }
          + ["rip", "rflags"], UInt64.self, &reader)
      vcpu.control = try registers(["cr0", "cr2", "cr3", "cr4"], UInt64.self, &reader)
      vcpu.debug = try registers(["dr0", "dr1", "dr2", "dr3", "dr6", "dr7"], UInt64.self, &reader)
      // Limits and bases of the descriptor tables come between those of the segments.
      let names = ["cs", "ds", "es", "fs", "gs", "ss", "tr", "ldtr"]
      let tables = ["idtr", "gdtr"]
      let selectors = try registers(names, UInt32.self, &reader)
      let limits = try registers(names + tables, UInt32.self, &reader)
      let bases = try registers(names + tables, UInt64.self, &reader)
      let rights = try registers(names, UInt32.self, &reader)
      for place in names.indices {
        vcpu.segments.append(
          Segment(
            name: names[place], selector: selectors[place].value, base: bases[place].value,
            limit: limits[place].value, attributes: rights[place].value))
      }
      for place in names.count..<names.count + tables.count {
        vcpu.tables.append(("\(bases[place].name)_base", bases[place].value))
        vcpu.tables.append(("\(limits[place].name)_limit", limits[place].value))
      }
      vcpu.system = try registers(
        [
          "sysenter_cs", "sysenter_esp", "sysenter_eip", "shadow_gs", "msr_flags", "lstar", "star",
          "cstar", "syscall_mask",
        ], UInt64.self, &reader)
      vcpu.control += try registers(["efer"], UInt64.self, &reader)
      // Xen before 3.4 did not write this field.
      if data.count >= 1024 {
        vcpu.system += try registers(["tsc_aux"], UInt64.self, &reader)
      }
      vcpu.system += try registers(["tsc"], UInt64.self, &reader)
      return vcpu
    }
  }
}
