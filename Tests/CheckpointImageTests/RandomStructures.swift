@testable import CheckpointImage
import TestSupport

/// Random values of every structure of the specification.
extension SplitMix64 {
  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
  mutating func bool() -> Bool { Bool.random(using: &self) }
  mutating func pick<T>(_ values: T...) -> T { values[int(0...values.count - 1)] }
  mutating func pfn() -> PFN { pick(0, 1, 511, 512, 1 << 20, Limits.pfnEnd - 2, next() >> 13) }
  mutating func text(_ length: Int) -> String {
    String((0..<length).map { _ in pick("a", "Z", "0", ".", "ä", "€", "\u{0}") })
  }
  mutating func digest() -> Digest { SHA256Hasher.digest(of: bytes(8)) }
  mutating func type() -> PageType { pick(0, 1, 4, 9, 12) }

  mutating func status(_ states: [PageState]) -> PageStatus {
    let state = states[int(0...states.count - 1)]
    switch state {
    case .evicted:
      return PageStatus(
        state, type: type(), reason: pick(.free, .balloon, .cleanPageCache, .listed))
    case .data, .zero, .unreadable: return PageStatus(state, type: type())
    default: return PageStatus(state)
    }
  }

  mutating func frame() -> SegmentFrame {
    let kind = SegmentKind.allCases[int(0...SegmentKind.allCases.count - 1)]
    return SegmentFrame(
      rawKind: kind.rawValue, flags: SegmentFrame.flags(of: kind), ordinal: next(),
      bodyLength: UInt64(int(0...Limits.maximumList)),
      bodyChecksum: UInt32(truncatingIfNeeded: next()))
  }

  mutating func header() -> ImageHeader {
    let parent = bool() ? digest() : nil
    var header = ImageHeader(
      architecture: pick(.unspecified, .x86), captureID: bytes(16), parent: parent,
      parentName: parent == nil ? "" : text(int(0...30)).filter { $0 != "\u{0}" && $0 != "." },
      ascendingUnique: bool())
    header.alignmentShift = UInt8(int(3...16))
    if bool() {
      header.features.insert(
        Features.Feature(class: .compatible, bit: UInt8(int(0...63)), name: "later"))
    }
    return header
  }

  mutating func record() -> MachineRecord {
    let record = MachineRecord(
      pick(.libxc, .libxl, .xl, .streamHeader), pick(.fixed, .sticky, .epoch),
      type: UInt32(truncatingIfNeeded: next()), payload: bytes(int(0...40)))
    return bool() ? record : record.inherited
  }

  mutating func region() -> [UInt8] {
    let codec = pick(CodecID.none, .zlib, .zstd)
    var runs: [PageRun] = []
    for _ in 0..<int(1...4) {
      runs.append(PageRun(pfn: pfn() >> 1, count: int(1...3), type: type()))
    }
    let header = RegionHeader(codec: codec, runs: runs)
    return header.encoded()
      + bytes(codec == .none ? header.expandedSize : int(1...60))
  }

  mutating func states() -> [StateExtent] {
    (0..<int(1...6)).map { _ in
      let pfn = pfn()
      return StateExtent(
        pfn: pfn, count: min(Limits.pfnEnd - pfn, pick(1, 2, 1 << 40)),
        status: status(PageState.allCases.filter { $0 != .data }))
    }
  }

  mutating func layout() -> [LayoutItem] {
    (0..<int(1...6)).map { _ in
      switch int(0...3) {
      case 0: return .frame(pick(.libxc, .libxl), type: UInt32(int(0...20)))
      case 1: return .record(padded: bool())
      case 2: return .bytes(pick(.libxc, .xl), bytes(int(0...20)))
      default:
        return .pages(
          LayoutItem.Pages(
            batch: UInt32(int(1...1024)), reserved: UInt32(truncatingIfNeeded: next()),
            runs: (0..<int(1...4)).map { _ in
              let pfn = pfn()
              return LayoutItem.Run(pfn: pfn, count: min(Limits.pfnEnd - pfn, pick(1, 7, 1 << 33)))
            }))
      }
    }
  }

  mutating func provenance() -> Provenance {
    var provenance = Provenance()
    for _ in 0..<int(1...5) { provenance.add(text(int(1...9)), text(int(0...30))) }
    return provenance
  }

  mutating func indexBlock() -> IndexBlock {
    var block = IndexBlock(number: BlockNumber(pick(0, 1, BlockNumber.last.value, next() >> 24)))
    let density = pick(2, 20, 512)
    let first = int(0...511)
    for slot in 0..<512 where slot == first || int(0...511) < density {
      let status = status(PageState.allCases.filter { $0 != .unchanged })
      guard status.state == .data else {
        block.append(PageEntry(status), slot: slot)
        continue
      }
      let location = PageLocation(
        offset: UInt64(int(1...3)) << pick(12, 50), length: UInt32(int(1...9)),
        slot: UInt8(slot / 2))
      block.append(PageEntry(type: status.type, digest: digest(), location: location), slot: slot)
    }
    return block
  }

  mutating func rootBody() -> RootBody {
    let directory = (0..<int(1...5)).map { place in
      ImageRoot.DirectoryEntry(
        frame(), offset: UInt64(place) << 20 | next() & 0xffff, digest: digest())
    }
    let blocks = (0..<int(0...5)).map { place in
      RootBody.BlockEntry(
        number: BlockNumber(UInt64(place) << 16 | next() & 0xffff), offset: next(),
        bodyLength: UInt32(int(0...99)),
        node: bool() ? digest() : nil, digest: digest())
    }
    var ordered = directory
    for place in ordered.indices { ordered[place].ordinal = UInt64(place) << 3 | next() & 7 }
    let root = ImageRoot(
      memory: digest(), state: digest(), checkpointID: digest(),
      counts: (0..<8).map { _ in next() },
      deadCopies: next(), layout: pick(.none, .exact, .canonical), directory: ordered)
    return RootBody(root: root, blocks: blocks)
  }

  mutating func trailer() -> ImageTrailer {
    ImageTrailer(
      rootOffset: next(), rootLength: UInt64(int(0...Limits.maximumBody)), segmentCount: next(),
      fileLength: next(), checkpointID: digest(), fileID: digest())
  }
}
