#if Xen
internal import CheckpointImage
internal import TestSupport
internal import Testing

@testable internal import XenDomain

/// Where the machine frames of a PV domain stand, whatever the guest says of them.
@Suite struct FramePlacementTests {
  private let none = P2MTable.none

  @Test func listedFramesStandWhereTheyAreListed() {
    let placement = FramePlacement(
      [10, 11, 12], claims: [2, 0, 1], limit: 100, table: [11, 12, 10])
    #expect(placement.frames == [11, 12, 10])
    #expect(placement.unlisted.isEmpty)
    #expect(placement.pfn(of: 10) == 2)
    #expect(placement.pfn(of: 13) == nil)
  }

  @Test func framesThatTheTableDoesNotHaveAreTold() {
    let placement = FramePlacement([10, 11], claims: [0, 1], limit: 100, table: [10, none])
    #expect(placement.frames == [10, 11])
    #expect(placement.unlisted.map(\.pfn) == [1])
    #expect(placement.unlisted.map(\.frame) == [11])
  }

  @Test func ofTwoFramesOfOnePFNTheListedOneIsThere() {
    let placement = FramePlacement([10, 11], claims: [0, 0], limit: 100, table: [11])
    #expect(placement.pfn(of: 11) == 0)
    #expect(placement.pfn(of: 10) == 512)
    #expect(placement.unlisted.map(\.frame) == [10])
  }

  @Test func framesFarOutStandBehindTheOthers() {
    let placement = FramePlacement([10, 11, 12], claims: [0, .max, 100], limit: 100, table: [10])
    #expect(placement.frames.count == 514)
    #expect(placement.frames[512...] == [11, 12])
    #expect(placement.unlisted.count == 2)
  }

  @Test func withoutATableNothingIsUnlisted() {
    let placement = FramePlacement([10, 11], claims: [5, 6], limit: 100)
    #expect(placement.frames[5...] == [10, 11])
    #expect(placement.unlisted.isEmpty)
  }

  @Test func everyFrameHasAPlaceOfItsOwn() {
    var random = SplitMix64.forTest("everyFrameHasAPlaceOfItsOwn")
    for _ in 0..<300 {
      let owned = Set(
        (0..<Int.random(in: 0...200, using: &random)).map { _ in
          UInt64.random(in: 1...1000, using: &random)
        }
      ).sorted()
      let claims = owned.map { _ -> PFN? in
        switch Int.random(in: 0..<8, using: &random) {
        case 0: nil
        case 1: .max
        default: PFN.random(in: 0..<300, using: &random)
        }
      }
      let table = (0..<Int.random(in: 0...300, using: &random)).map { _ in
        Bool.random(using: &random) ? none : UInt64.random(in: 0...1100, using: &random)
      }
      let placement = FramePlacement(
        owned, claims: claims, limit: 256, table: Bool.random(using: &random) ? table : nil)
      #expect(placement.frames.filter { $0 != none }.sorted() == owned)
      for frame in owned {
        let pfn = placement.pfn(of: frame)
        #expect(pfn.map { placement.frames[Int($0)] } == frame)
      }
      for frame in Set(1...1000).subtracting(owned) { #expect(placement.pfn(of: frame) == nil) }
    }
  }

  @Test func runsOfUnlistedFramesAreOneEach() {
    let text = UnlistedFrames.text([(1, 0x10), (2, 0x11), (3, 0x20), (512, 0x21)])
    #expect(text == "0x1-0x2=0x10-0x11,0x3=0x20,0x200=0x21")
  }
}
#endif
