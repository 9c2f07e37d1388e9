import CheckpointChain
@testable import CheckpointCodec
@testable import CheckpointImage
import Storage
import TestSupport
import Testing

/// Images whose segments begin at other multiples than those of 8.
@Suite struct AlignmentTests {
  @Test(arguments: [UInt8(4), 12, 13, 16]) func alignedImages(shift: UInt8) throws {
    let bench = try ChainBench()
    var random = SplitMix64.forTest("alignment")
    var model = ModelMoment()
    model.step(200, pfns: Array(0..<900), using: &random)
    let output = try OutputFile(bench.path("base.ckpt"), force: false, sync: false)
    var header = ImageHeader(architecture: .x86, captureID: random.bytes(16))
    header.alignmentShift = shift
    header.features.insert(Features.Feature(class: .compatible, bit: 40, name: "kept"))
    header.features.insert(Features.Feature(class: .dropOnRewrite, bit: 41, name: "dropped"))
    let writer = try ImageWriter(header, to: output)
    try Pipeline(ModelSource(model, using: &random), on: bench.pool)
      .digestPages()
      .packRegions()
      .compress(CodecSettings(regionPages: 8), proving: true)
      .run(into: writer)
    _ = try writer.seal([Provenance()], complete: true)
    try output.commit()

    let image = try ResealedImage(bench.folder.bytes("base.ckpt"))
    #expect(image.segments.dropLast().allSatisfy { $0.offset % (1 << Int(shift)) == 0 })
    #expect(try bench.findings("base.ckpt") == [])
    // A merge keeps the alignment and, of the features it does not know, those that say nothing of it.
    try bench.merge("base.ckpt", as: "merged.ckpt")
    let merged = try ImageFile(bench.path("merged.ckpt")).header
    #expect(merged.alignmentShift == shift)
    #expect(merged.features.named.map(\.name) == ["draft", "kept"])
    try bench.expect("merged.ckpt", equals: model, "merged")
    // Damage is found, and the walk goes on behind it.
    let sound = try bench.folder.bytes("merged.ckpt")
    var bytes = sound
    let victim = try #require(try ResealedImage(bytes).segments.dropFirst(2).first)
    bytes[victim.offset] ^= 1
    try bench.folder.write(bytes, as: "merged.ckpt")
    let findings = try bench.findings("merged.ckpt")
    #expect(findings.first?.kind == .damaged)
    #expect(findings.contains { $0.offset == UInt64(victim.offset) })
    let walked = Verification(.quick, on: bench.pool)
    try walked.run(
      LocalFile(bench.path("merged.ckpt")),
      finding: Folders(of: bench.path("merged.ckpt"), searching: []))
    #expect(walked.counts.segments == UInt64(try ResealedImage(sound).segments.count - 1))
    // The parent's alignment is its own affair.
    model.step(20, pfns: Array(0..<900), using: &random)
    bench.folder.remove("merged.ckpt")
    try bench.capture(ModelSource(model, using: &random), as: "tip.ckpt", parent: "base.ckpt")
    try bench.expect("tip.ckpt", equals: model, "on an aligned parent")
  }
}
