import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Storage
import TestSupport
import Testing

/// Damage of every kind to a small base and a small increment: it is found, and no restore returns
/// wrong memory as if it were right.
@Suite(.serialized) struct DamageTests {
  private struct Restored: Equatable {
    var memory: Digest
    var pages: [PFN: Digest]
    var statuses: [PFN: PageStatus]
    var records: [MachineRecord]
  }

  private let bench: ChainBench
  private let names = ["base.ckpt", "tip.ckpt"]
  private let truth: Restored

  init() throws {
    bench = try ChainBench()
    var random = SplitMix64(seed: 5)
    var model = ModelMoment()
    model.step(30, pfns: [1, 2, 3, 9, 700, 1 << 40], using: &random)
    try bench.capture(ModelSource(model, staleCopies: 5, using: &random), as: "base.ckpt")
    model.step(6, pfns: [2, 3, 4, 700, 5000], using: &random)
    try bench.capture(ModelSource(model, using: &random), as: "tip.ckpt", parent: "base.ckpt")
    truth = try Self.restore(bench, "tip.ckpt")
  }

  /// Everything a restore would read.
  private static func restore(_ bench: ChainBench, _ tip: String) throws -> Restored {
    let chain = try Chain.open(bench.path(tip))
    let reader = PageReader(chain)
    var pages: [PFN: Digest] = [:]
    var statuses: [PFN: PageStatus] = [:]
    for (block, _) in chain.memoryTree {
      let first = block.firstPage
      for part in [first..<first + 256, first + 256..<first + 512] {
        let batch = try reader.read([part])
        for (slot, page) in batch.pages.enumerated() where page.state != .unpopulated {
          pages[page.pfn] = SHA256Hasher().digest(of: batch.buffer.page(slot))
          statuses[page.pfn] = try chain.entry(page.pfn).status
        }
      }
    }
    return Restored(
      memory: chain.tip.root.memory, pages: pages, statuses: statuses,
      records: try chain.completeRecords())
  }

  /// Whether a verify finds the damage, and whether a restore returns something else than the truth.
  private func verdict(_ name: String) throws -> (found: Bool, wrong: Bool) {
    let found = try !bench.findings("tip.ckpt").isEmpty
    let restored = try? Self.restore(bench, "tip.ckpt")
    return (found, restored != nil && restored != truth)
  }

  @Test func everyFlippedBitIsFound() throws {
    for name in names {
      let sound = try bench.folder.bytes(name)
      for bit in 0..<sound.count * 8 {
        var bytes = sound
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        try bench.folder.write(bytes, as: name)
        let (found, wrong) = try verdict(name)
        if !found || wrong {
          Issue.record("\(name): bit \(bit % 8) of byte \(bit / 8): found \(found), wrong \(wrong)")
        }
      }
      try bench.folder.write(sound, as: name)
    }
  }

  @Test func everyChangedFieldUnderRightChecksums() throws {
    for name in names {
      let sound = try bench.folder.bytes(name)
      let image = try ResealedImage(sound)
      for segment in image.segments {
        for place in 0..<min(segment.bodyLength, 2000) {
          var changed = image
          changed.flip(segment, at: place, bit: place % 8)
          changed.reseal()
          try bench.folder.write(changed.bytes, as: name)
          let (_, wrong) = try verdict(name)
          // Found, or the same memory and machine state.
          if wrong { Issue.record("\(name): \(segment.kind as Any) body byte \(place)") }
        }
      }
      try bench.folder.write(sound, as: name)
    }
  }

  /// A check goes on after a finding: index blocks under right checksums that the root does not know.
  @Test func everyBadBlockIsFound() throws {
    let sound = try bench.folder.bytes("base.ckpt")
    var image = try ResealedImage(sound)
    let blocks = image.segments.filter { $0.kind == .index }
    for block in blocks { image.flip(block, at: block.bodyLength - 1) }
    image.resealChecksums()
    try bench.folder.write(image.bytes, as: "base.ckpt")
    for depth in [Verification.Depth.quick, .full] {
      let check = Verification(depth, on: bench.pool)
      try check.run(
        LocalFile(bench.path("base.ckpt")),
        finding: Folders(of: bench.path("base.ckpt"), searching: []))
      #expect(check.findings.count == blocks.count)
    }
    #expect(blocks.count > 1)
    try bench.folder.write(sound, as: "base.ckpt")
  }

  /// Wherever a file ends too early, that is what is said of it, by whoever reads it and by a check, which finds
  /// nothing else. Only of what is shorter than the first fields of a frame nobody can tell what it is the beginning of.
  @Test func everyTruncationIsIncomplete() throws {
    for name in names {
      let sound = try bench.folder.bytes(name)
      for bytes in sound.indices.map({ sound[..<$0] }) {
        try bench.folder.write(Array(bytes), as: name)
        let kind: CheckpointError.Kind = bytes.count < 8 ? .damaged : .incomplete
        let comment: Comment = "\(name): \(bytes.count) bytes"
        let error = #expect(throws: CheckpointError.self, comment) {
          _ = try Self.restore(bench, "tip.ckpt")
        }
        #expect(error?.kind == kind && error?.file == bench.path(name), comment)
        let findings = try bench.findings("tip.ckpt")
        #expect(!findings.isEmpty, comment)
        for finding in findings {
          #expect(
            finding.kind == kind && finding.file == bench.path(name), "\(comment): \(finding)")
        }
      }
      try bench.folder.write(sound, as: name)
    }
  }

  /// A reader finds no trailer at the end, whatever is behind it; a check sees that it is there.
  @Test func whatFollowsTheTrailerIsFound() throws {
    for (name, kind) in zip(names, [CheckpointError.Kind.incomplete, .damaged]) {
      let sound = try bench.folder.bytes(name)
      try bench.folder.write(sound + [0], as: name)
      let error = #expect(throws: CheckpointError.self) { _ = try Self.restore(bench, "tip.ckpt") }
      #expect(error?.kind == .incomplete && error?.structure == "trailer")
      #expect(error?.file == bench.path(name))
      // Of an ancestor, as far as it can be opened.
      let findings = try bench.findings("tip.ckpt")
      #expect(findings.map(\.kind) == [kind] && findings.map(\.file) == [bench.path(name)])
      try bench.folder.write(sound, as: name)
    }
  }
}
