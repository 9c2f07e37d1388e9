import CheckpointChain
import CheckpointCodec
import CheckpointImage
import Interchange
import TestSupport
import Testing

/// What is captured from a source comes back as it was, or is refused.
@Suite struct InterchangeTests {
  private let folder: TestFolder
  private let pool = WorkerPool()

  init() throws { folder = try TestFolder() }

  private func capture(_ bytes: [UInt8], _ format: SourceFormat) throws {
    try folder.write(bytes, as: "source")
    let input = try InputStream(folder.path("source"))
    let output = try OutputFile(folder.path("image"), force: true, sync: false)
    _ = try Capture(settings: CodecSettings(), parent: nil, provenance: Provenance())
      .run(try format.open(input), to: output, on: pool)
    try output.commit()
  }

  private func restore(_ format: Restore.Format) throws -> [UInt8] {
    let chain = try ChainResolver.open(folder.path("image"))
    let output = try OutputFile(folder.path("restored"), force: true, sync: false)
    _ = try Restore.run(chain, as: format, to: output, on: pool)
    try output.commit()
    return try folder.bytes("restored")
  }

  @Test func saveComesBack() throws {
    let save = SmallSave.bytes()
    try capture(save, .xl)
    #expect(try restore(.xl) == save)
    // The streams inside are parts of it.
    let libxl = try restore(.libxl)
    #expect(save.suffix(libxl.count).elementsEqual(libxl))
    let libxc = try restore(.libxc)
    #expect(save.firstRange(of: libxc) != nil)
  }

  /// Random damage to a save file: it is refused, or what comes back is that very file.
  @Test func damagedSaves() throws {
    var random = SplitMix64.forTest("damaged saves")
    let save = SmallSave.bytes()
    // The interesting bytes are few; those inside pages are not.
    let interesting = save.indices.filter { place in
      place < 400 || place + 16 >= save.count || save[max(0, place - 20)] != save[place]
    }
    var refused = 0
    for _ in 0..<1500 {
      var bytes = save
      let place = interesting.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = 0xff
      case 2:
        for offset in place..<min(place + 4, bytes.count) { bytes[offset] = 0xff }
      default: bytes.removeLast(bytes.count - place)
      }
      do {
        try capture(bytes, .xl)
        // A page that now comes twice is exported once.
        if try ImageFile(folder.path("image")).root.layout == .exact {
          let restored = try restore(.xl)
          #expect(restored == bytes, "byte \(place)")
        }
      } catch let error as CheckpointError {
        refused += 1
        let acceptable: [CheckpointError.Kind] = [
          .damaged, .incomplete, .unsupported, .refused, .mismatch,
        ]
        #expect(acceptable.contains(error.kind), "\(error)")
        #expect(error.offset != nil, "\(error)")
      }
      folder.remove("image")
    }
    #expect(refused > 500)
  }

  @Test func rawMemoryComesBack() throws {
    var random = SplitMix64.forTest("raw memory")
    for pages in [1, 255, 256, 257, 700] {
      var memory: [UInt8] = []
      for _ in 0..<pages {
        let fill: UInt8 = Bool.random(using: &random) ? 0 : 7
        memory += [UInt8](repeating: fill, count: Limits.pageSize)
      }
      try capture(memory, .raw)
      #expect(try restore(.raw) == memory)
    }
  }

  @Test func partOfAPageIsRefused() throws {
    for length in [1, 4095, 4097, 3 * 4096 + 5] {
      let error = #expect(throws: CheckpointError.self) {
        try capture([UInt8](repeating: 1, count: length), .raw)
      }
      #expect(error?.offset == UInt64(length / 4096 * 4096))
      #expect(!folder.names.contains("image"))
    }
  }

  @Test func kindsAreRecognised() throws {
    func recognise(_ bytes: [UInt8]) throws -> SourceFormat {
      try folder.write(bytes, as: "source")
      return try SourceFormat.recognise(InputStream(folder.path("source")))
    }
    let save = SmallSave.bytes()
    #expect(try recognise(save) == .xl)
    try capture(save, .xl)
    let others = [
      try folder.bytes("image"), try restore(.libxl), try restore(.libxc), [],
      [UInt8](repeating: 0, count: 4096),
    ]
    for bytes in others {
      #expect(throws: CheckpointError.self) { try recognise(bytes) }
    }
  }
}
