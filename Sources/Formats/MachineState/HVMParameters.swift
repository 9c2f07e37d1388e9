internal import CheckpointImage

/// The parameters of an HVM guest (Xen's `public/hvm/params.h`).
enum HVMParameters {
  private static let names: [UInt64: String] = [
    0: "CALLBACK_IRQ", 1: "STORE_PFN", 2: "STORE_EVTCHN", 4: "PAE_ENABLED", 5: "IOREQ_PFN",
    6: "BUFIOREQ_PFN", 9: "VIRIDIAN", 10: "TIMER_MODE", 11: "HPET_ENABLED", 12: "IDENT_PT",
    14: "ACPI_S_STATE", 15: "VM86_TSS", 16: "VPT_ALIGN", 17: "CONSOLE_PFN", 18: "CONSOLE_EVTCHN",
    19: "ACPI_IOPORTS_LOCATION", 24: "NESTEDHVM", 27: "PAGING_RING_PFN", 28: "MONITOR_RING_PFN",
    29: "SHARING_RING_PFN", 30: "MEMORY_EVENT_CR0", 32: "IOREQ_SERVER_PFN",
    33: "NR_IOREQ_SERVER_PAGES", 34: "VM_GENERATION_ID_ADDR", 35: "ALTP2M", 36: "X87_FIP_WIDTH",
    37: "VM86_TSS_SIZED", 38: "MCA_CAP",
  ]

  static func value(_ payload: [UInt8]) throws(CheckpointError) -> RecordValue {
    try WireReader.read(payload, "HVM_PARAMS") { (reader) throws(CheckpointError) in
      let count = try reader.read(UInt32.self)
      try reader.skip(4)
      var values: [RecordValue] = []
      for _ in 0..<count {
        try reader.limit(values.count)
        let index: UInt64 = try reader.read()
        values.append(
          .fields([
            RecordValue.Field("name", .text(names[index] ?? "parameter \(index)")),
            RecordValue.Field("index", .number(index)),
            try reader.field("value", UInt64.self, hex: true),
          ]))
      }
      try reader.end()
      return .list(values)
    }
  }
}
