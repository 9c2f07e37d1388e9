@testable import CheckpointCodec
import CheckpointImage
import Glibc
import Storage
import TestSupport
import Testing

/// Outputs take their name only when they are complete; few files are open at once.
@Suite(.serialized) struct FileTests {
  @Test func nameIsTakenAtTheEnd() throws {
    let folder = try TestFolder()
    let output = try OutputFile(folder.path("image"), force: false, sync: true)
    try output.write([1, 2, 3])
    #expect(folder.names.count == 1)
    #expect(try #require(folder.names.first).contains(/^\.image\.[0-9a-f]{8}\.partial$/))
    try output.commit()
    #expect(folder.names == ["image"])
    #expect(try folder.bytes("image") == [1, 2, 3])
  }

  @Test func droppedOutputLeavesNothing() throws {
    let folder = try TestFolder()
    do {
      let output = try OutputFile(folder.path("image"), force: false, sync: false)
      try output.write([1])
    }
    #expect(folder.names == [])
  }

  /// What was captured until a cancellation is still gathered into the file, which keeps another name.
  @Test func cancelledOutputKeepsWhatItHas() throws {
    let folder = try TestFolder()
    let cancellation = Cancellation()
    let output = try OutputFile(
      folder.path("image"), force: false, sync: false, cancellation: cancellation)
    try output.write([1])
    cancellation.cancel()
    try output.write([2])
    let error = #expect(throws: CheckpointError.self) { try output.commit() }
    #expect(error?.kind == .interrupted)
    #expect(output.keepUnfinished() == folder.path("image.partial"))
    #expect(folder.names == ["image.partial"])
    #expect(try folder.bytes("image.partial") == [1, 2])
  }

  @Test func existingFileIsReplacedOnlyByForce() throws {
    let folder = try TestFolder()
    try folder.write([1], as: "image")
    let error = #expect(throws: CheckpointError.self) {
      try OutputFile(folder.path("image"), force: false, sync: false)
    }
    #expect(error?.kind == .refused)
    let output = try OutputFile(folder.path("image"), force: true, sync: false)
    try output.write([2])
    #expect(try folder.bytes("image") == [1], "until it is complete")
    try output.commit()
    #expect(try folder.bytes("image") == [2])
  }

  /// A file of that name that appears while the output is written is not lost.
  @Test func fileThatAppearsMeanwhileStays() throws {
    let folder = try TestFolder()
    let output = try OutputFile(folder.path("image"), force: false, sync: false)
    try output.write([2])
    try folder.write([1], as: "other")
    folder.rename("other", "image")
    let error = #expect(throws: CheckpointError.self) { try output.commit() }
    #expect(error?.kind == .io && error?.reason.contains("File exists") == true)
    #expect(try folder.bytes("image") == [1])
  }

  @Test func atMost64FilesAreOpen() throws {
    let folder = try TestFolder()
    let group = OpenFiles()
    let files = try (0..<200).map { number in
      try folder.write([UInt8(number)], as: "\(number)")
      return try LocalFile(folder.path("\(number)"), among: group)
    }
    var random = SplitMix64.forTest("open files")
    for _ in 0..<2000 {
      let number = Int.random(in: 0..<200, using: &random)
      #expect(try files[number].bytes(at: 0, count: 1) == [UInt8(number)])
    }
    let prefix = folder.path("")
    let open = (0..<1024).filter { descriptor in
      var target = [CChar](repeating: 0, count: 4096)
      let count = unsafe readlink("/proc/self/fd/\(descriptor)", &target, 4095)
      guard count > 0 else { return false }
      return String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        .hasPrefix(prefix)
    }
    #expect(open.count > 30 && open.count <= 64)
  }

  @Test func replacedFileIsNotMixedIn() throws {
    let folder = try TestFolder()
    try folder.write([1], as: "image")
    let file = try LocalFile(folder.path("image"))
    try folder.write([2], as: "image")
    let error = #expect(throws: CheckpointError.self) { try file.bytes(at: 0, count: 1) }
    #expect(error?.kind == .io && error?.reason.contains("replaced") == true)
  }
}
