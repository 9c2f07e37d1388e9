package import CheckpointImage

/// Decodes records of the machine's state into trees of named values.
package enum DecodedRecord {
  /// The decoded records in their order. Nil where the type is not known or the payload is with an ancestor; an
  /// error where a record does not match its type.
  package static func decode(_ records: [MachineRecord]) -> [Result<RecordValue?, CheckpointError>]
  {
    let guestWidth = guestWidth(of: records)
    return records.map { record in
      do throws(CheckpointError) {
        return .success(try decode(record, guestWidth: guestWidth))
      } catch {
        return .failure(error)
      }
    }
  }

  /// Bytes of a machine word of the PV guest.
  private static func guestWidth(of records: [MachineRecord]) -> Int {
    let info = records.first {
      $0.key.namespace == .libxc && $0.key.type == XenStream.LibxcType.pvInfo.rawValue
    }
    return info?.payload?.first == 4 ? 4 : 8
  }

  private static func decode(_ record: MachineRecord, guestWidth: Int) throws(CheckpointError)
    -> RecordValue?
  {
    guard let payload = record.payload else { return nil }
    switch record.key.namespace {
    case .libxc: return try libxc(record.key.type, payload, guestWidth: guestWidth)
    case .libxl:
      switch XenStream.LibxlType(rawValue: record.key.type) {
      case .emulatorXenstoreData: return try EmulatorRecords.xenstore(payload)
      case .emulatorContext: return try EmulatorRecords.context(payload)
      default: return nil
      }
    case .xl:
      return record.key.type == XenStream.XLPart.configuration.rawValue ? text(payload) : nil
    case .libvirt: return text(payload)
    case .xenServer:
      return XenStream.XenServerSection(rawValue: record.key.type) == .metadata
        ? text(payload) : nil
    case .dumpNote: return try DumpNote(payload).value()
    case .streamHeader:
      guard let header = XenStream.Header(rawValue: record.key.type) else { return nil }
      return try StreamHeaders.value(header, payload)
    }
  }

  /// A text, without the NUL that C programs put at its end.
  private static func text(_ payload: [UInt8]) -> RecordValue {
    .text(String(decoding: payload.last == 0 ? payload.dropLast() : payload[...], as: UTF8.self))
  }

  private static func libxc(_ type: UInt32, _ payload: [UInt8], guestWidth: Int)
    throws(CheckpointError) -> RecordValue?
  {
    switch XenStream.LibxcType(rawValue: type) {
    case .pvInfo:
      return try WireReader.read(payload, "X86_PV_INFO") { (reader) throws(CheckpointError) in
        .fields([
          try reader.field("guest_width", UInt8.self), try reader.field("pt_levels", UInt8.self),
        ])
      }
    case .tscInfo:
      return try WireReader.read(payload, "X86_TSC_INFO") { (reader) throws(CheckpointError) in
        .fields([
          try reader.field("mode", UInt32.self), try reader.field("khz", UInt32.self),
          try reader.field("nsec", UInt64.self), try reader.field("incarnation", UInt32.self),
        ])
      }
    case .pvP2MFrames: return try P2MFrames.value(payload)
    case .pvVCPUBasic: return try VCPU(pv: payload).value
    case .pvVCPUExtended: return try PVVCPURecords.extended(payload)
    case .pvVCPUXSave: return try PVVCPURecords.xsave(payload)
    case .pvVCPUMSRs: return try PVVCPURecords.msrs(payload)
    case .sharedInfo: return try SharedInfo.value(payload, guestWidth: guestWidth)
    case .hvmContext: return try HVMContext(payload).value()
    case .hvmParams: return try HVMParameters.value(payload)
    case .cpuidPolicy: return try Policies.cpuid(payload)
    case .msrPolicy: return try Policies.msrs(payload)
    default: return nil
    }
  }
}
