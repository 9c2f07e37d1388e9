#if Xen
internal import TestSupport
internal import Testing

@testable internal import XenDomain

/// Which frames a grant table lets others write to.
@Suite struct GrantedFramesTests {
  /// An entry of version 1: flags, domain, frame.
  private func entry(_ flags: UInt64, _ frame: UInt64) -> UInt64 { flags | 0 << 16 | frame << 32 }

  @Test func versionOne() {
    let table = [
      entry(0x01, 0x300),  // access
      entry(0x05, 0x301),  // read only
      entry(0x15, 0x302),  // read only by now, but mapped for writing
      entry(0x00, 0x303),  // not in use
      entry(0x02, 0x304),  // a transfer
      entry(0x03, 0x305),  // another domain's page
      entry(0x19, 0x200),  // access, mapped
      entry(0x01, 0x300),  // granted twice
      entry(0x01, 0xffff_ffff),
    ]
    #expect(
      GrantedFrames.frames(table, version: 1, .writable) == [0x200, 0x300, 0x302, 0xffff_ffff])
  }

  @Test func versionTwo() {
    let table: [UInt64] = [
      0x01, 0x12_3456_789a,  // access
      0x05, 0x301,  // read only
      0x101, 0x302,  // part of a page
      0x02, 0x303,
    ]
    #expect(GrantedFrames.frames(table, version: 2, .writable) == [0x302, 0x12_3456_789a])
    #expect(GrantedFrames.frames(table.dropLast() + [], version: 2, .writable).count == 2)
  }

  @Test func anyBytes() {
    var random = SplitMix64.forTest("anyBytes")
    for count in [0, 1, 2, 511, 512, 1024] {
      let table = (0..<count).map { _ in random.next() }
      for version: Int32 in [1, 2] {
        let frames = GrantedFrames.frames(table, version: version, .writable)
        #expect(frames == Set(frames).sorted() && frames.count <= count)
      }
    }
  }
}
#endif
