import CheckpointImage
import Formats
import TestSupport
import Testing

/// Records that hold anything are decoded or refused; nothing in them makes a program trap or take much
/// memory.
@Suite struct DecodedRecordTests {
  private static let namespaces: [RecordNamespace] = [
    .libxc, .libxl, .xl, .streamHeader, .libvirt, .xenServer,
  ]

  @Test func randomBytes() throws {
    var random = SplitMix64.forTest("randomBytes")
    var decoded = 0
    for round in 0..<1200 {
      let namespace = Self.namespaces[round % Self.namespaces.count]
      let length = [0, 3, 8, 24, 64, 1032, 2808, 4096, 5176].randomElement(using: &random) ?? 0
      var payload = random.bytes(length)
      if Bool.random(using: &random) {
        // Small numbers lead further in than large ones.
        for place in payload.indices where place % 4 != 0 { payload[place] = 0 }
      }
      let record = MachineRecord(
        namespace, .epoch, type: UInt32.random(in: 0...20, using: &random), payload: payload)
      if case .success(let value) = DecodedRecord.decode([record])[0], value != nil { decoded += 1 }
      Self.expectAnAnswer(record)
    }
    #expect(decoded > 120)
  }

  /// A context cut anywhere, or with any descriptor's length changed, is refused or decoded.
  @Test func brokenContexts() throws {
    var random = SplitMix64.forTest("brokenContexts")
    let context = Self.context()
    for length in 0..<context.count {
      let record = MachineRecord(.libxc, .epoch, type: 9, payload: Array(context[..<length]))
      let error = #expect(throws: CheckpointError.self) { try VCPU.all(in: [record]) }
      #expect(
        error?.kind == .damaged && error?.structure == "HVM_CONTEXT", "\(length): \(error as Any)")
    }
    var refused = 0
    for _ in 0..<2000 {
      var changed = context
      changed[Int.random(in: 0..<changed.count, using: &random)] = random.next() % 2 == 0 ? 0xff : 3
      let record = MachineRecord(.libxc, .epoch, type: 9, payload: changed)
      if !Self.expectAnAnswer(record) { refused += 1 }
    }
    #expect(refused > 10)
  }

  /// A record that holds anything is decoded, or it is said to be damaged; whether it was decoded.
  @discardableResult private static func expectAnAnswer(_ record: MachineRecord) -> Bool {
    let decoded = DecodedRecord.decode([record])
    #expect(decoded.count == 1)
    if case .failure(let error) = decoded[0] {
      #expect(error.kind == .damaged && error.structure != nil, "\(error)")
    }
    do throws(CheckpointError) {
      _ = try VCPU.all(in: [record])
      return true
    } catch {
      #expect(error.kind == .damaged && error.structure != nil, "\(error)")
      return false
    }
  }

  /// More entries than a real record has would take a multiple of its bytes in memory.
  @Test func tooManyEntries() {
    let payload = [UInt8](repeating: 0, count: 24 << 17)
    for type: UInt32 in [9, 0x11, 0x12] {
      let filled = type == 9 ? payload.indices.map { UInt8($0 % 8 == 0 ? 1 : 0) } : payload
      let record = MachineRecord(.libxc, .epoch, type: type, payload: filled)
      guard case .failure(let error) = DecodedRecord.decode([record])[0] else {
        Issue.record("type \(type) was decoded")
        continue
      }
      #expect(error.reason.contains("more than 65536 entries"))
    }
  }

  /// A processor may claim to have any number of descriptors.
  @Test func hugeDescriptorTable() throws {
    let record = MachineRecord(
      .libxc, .fixed, type: 4, payload: [UInt8](repeating: 0xff, count: 8 + 5168))
    let frames = try VCPU.all(in: [record])[0].tables.filter { $0.name.hasPrefix("gdt_frame") }
    #expect(frames.count == 16)
  }

  /// Pairs of xenstore take many times their bytes.
  @Test func tooManyPairs() {
    let record = MachineRecord(
      .libxl, .epoch, type: 2, payload: [UInt8](repeating: 0, count: 9 + 1 << 20))
    guard case .failure(let error) = DecodedRecord.decode([record])[0] else {
      Issue.record("it was decoded")
      return
    }
    #expect(error.kind == .damaged && error.reason == "more than 1048576 bytes", "\(error)")
  }

  /// A header, two processors and their MSRs, and the end.
  private static func context() -> [UInt8] {
    func entry(_ type: UInt8, _ instance: UInt8, _ data: [UInt8]) -> [UInt8] {
      [
        type, 0, instance, 0, UInt8(truncatingIfNeeded: data.count), UInt8(data.count >> 8), 0, 0,
      ] + data
    }
    let processor = (0..<1032).map { UInt8(truncatingIfNeeded: $0 / 8) }
    let msr = [1, 0, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 9, count: 16)
    return entry(1, 0, [UInt8](repeating: 0, count: 24)) + entry(2, 0, processor)
      + entry(2, 1, processor) + entry(20, 1, msr) + entry(0, 0, [])
  }

  @Test func processors() throws {
    let record = MachineRecord(.libxc, .epoch, type: 9, payload: Self.context())
    let found = try VCPU.all(in: [record])
    #expect(found.map(\.id) == [0, 1])
    #expect(found[1].msrs.map(\.value) == [0x0909_0909_0909_0909])
    // CR3 lies at 672.
    #expect(
      found[0].control.first { $0.name == "cr3" }?.value == 0x5454_5454_5454_5454)
  }
}
