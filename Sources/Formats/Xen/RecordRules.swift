internal import CheckpointImage

/// Rules for the records of a libxc stream: each by itself, and their order.
struct RecordRules {
  private let version: UInt32
  private let guest: XenStream.GuestType
  /// The types seen since the moment began; below, those seen before.
  private var seen: Set<UInt32> = []
  private var earlier: Set<UInt32> = []
  private var guestWidth: UInt8?
  private var vcpus: Set<UInt64> = []

  init(version: UInt32, guest: XenStream.GuestType) {
    self.version = version
    self.guest = guest
  }

  private func comesAgain(_ type: XenStream.LibxcType) -> Bool { seen.contains(type.rawValue) }

  private func has(_ type: XenStream.LibxcType) -> Bool {
    comesAgain(type) || earlier.contains(type.rawValue)
  }

  /// Starts the next moment of a checkpointed stream: static and sticky records stay valid, all others must
  /// come again.
  mutating func beginMoment() {
    earlier.formUnion(
      seen.filter {
        let type = XenStream.LibxcType(rawValue: $0)
        return type == .staticDataEnd || type?.recordClass != .epoch
      })
    seen = []
    vcpus = []
  }

  /// Checks whether a record may come now; returns a problem, or nil.
  mutating func order(_ type: XenStream.LibxcType) -> String? {
    if let owner = type.guest, owner != guest { return "a \(type) record in a \(guest) stream" }
    defer { seen.insert(type.rawValue) }
    switch type {
    case .staticDataEnd:
      if version < 3 { return "STATIC_DATA_END in a version \(version) stream" }
      if has(type) { return "STATIC_DATA_END comes twice" }
    case .pageData, .pvP2MFrames:
      if version >= 3 && !has(.staticDataEnd) { return "\(type) before STATIC_DATA_END" }
    case .pvInfo, .sharedInfo, .tscInfo, .hvmContext, .hvmParams, .cpuidPolicy, .msrPolicy:
      if comesAgain(type) { return "\(type) comes twice" }
    default: break
    }
    if guest == .pv, type.guest == .pv, type != .pvInfo, !has(.pvInfo) {
      return "\(type) before pvInfo"
    }
    return nil
  }

  /// Checks a record's body; returns a problem, or nil.
  mutating func body(_ type: XenStream.LibxcType, _ body: [UInt8]) -> String? {
    func length(_ expected: Int) -> String? {
      body.count == expected ? nil : "length: found \(body.count), expected \(expected)"
    }
    switch type {
    case .pvInfo:
      if let problem = length(8) { return problem }
      guard (body[0], body[1]) == (4, 3) || (body[0], body[1]) == (8, 4) else {
        return "guest width \(body[0]) with \(body[1]) page-table levels"
      }
      guestWidth = body[0]
    case .pvP2MFrames:
      guard body.count >= 8 else { return "length: found \(body.count), expected at least 8" }
      let (start, end) = (UInt64(body.u32(0)), UInt64(body.u32(4)))
      guard start <= end else { return "P2M from PFN \(start) to \(end)" }
      let perFrame = UInt64(4096 / Int(guestWidth ?? 8))
      return length(8 + 8 * Int(end / perFrame - start / perFrame + 1))
    case .pvVCPUBasic, .pvVCPUExtended, .pvVCPUXSave, .pvVCPUMSRs:
      guard body.count >= 8 else { return "length: found \(body.count), expected at least 8" }
      return vcpu(type, id: UInt64(body.u32(0)), body.count - 8)
    case .sharedInfo: return length(4096)
    case .tscInfo: return length(24)
    case .hvmContext: return hvmContext(body)
    case .hvmParams:
      guard body.count >= 8 else { return "length: found \(body.count), expected at least 8" }
      return length(8 + 16 * Int(body.u32(0)))
    case .cpuidPolicy where body.isEmpty || body.count % 24 != 0:
      return "length: found \(body.count), expected a multiple of 24"
    case .msrPolicy where body.isEmpty || body.count % 16 != 0:
      return "length: found \(body.count), expected a multiple of 16"
    case .end, .staticDataEnd, .verify, .checkpoint: return length(0)
    default: break
    }
    return nil
  }

  private mutating func vcpu(_ type: XenStream.LibxcType, id: UInt64, _ size: Int) -> String? {
    // Xen allows at most 8192 vCPUs.
    guard id < 8192 else { return "vCPU \(id)" }
    guard vcpus.insert(UInt64(type.rawValue) << 32 | id).inserted else {
      return "vCPU \(id) comes twice"
    }
    switch type {
    case .pvVCPUBasic:
      let expected = guestWidth == 4 ? 2800 : 5168
      if size != expected { return "length: found \(size + 8), expected \(expected + 8)" }
    case .pvVCPUExtended where size > 128: return "length: found \(size + 8), expected at most 136"
    case .pvVCPUMSRs where size % 16 != 0:
      return "length: found \(size + 8), expected 8 and a multiple of 16"
    default: break
    }
    return nil
  }

  /// Checks that the body is a list of descriptors from HEADER to END.
  private func hvmContext(_ body: [UInt8]) -> String? {
    do throws(CheckpointError) {
      let entries = try HVMContext(body).entries
      guard entries.first?.type == HVMContext.header else {
        return "HVM context does not begin with its header"
      }
      let behind = body.count - (entries.last?.data.upperBound ?? 0)
      return behind == 0 ? nil : "\(behind) bytes after the HVM context"
    } catch {
      return "HVM context: \(error.reason)"
    }
  }

  /// Checks that nothing is missing at the end of the stream; returns a problem, or nil.
  func end() -> String? {
    let needed: [XenStream.LibxcType] =
      guest == .pv
      ? [.pvInfo, .pvP2MFrames, .sharedInfo, .pvVCPUBasic] : [.hvmContext, .hvmParams]
    for type in needed where !has(type) { return "the stream ends without \(type)" }
    if version >= 3 && !has(.staticDataEnd) { return "the stream ends without STATIC_DATA_END" }
    let bootCPU = UInt64(XenStream.LibxcType.pvVCPUBasic.rawValue) << 32
    if guest == .pv && !vcpus.contains(bootCPU) { return "the stream ends without vCPU 0" }
    return nil
  }
}
