import CheckpointImage
import Glibc
import TestSupport
import Testing

@testable import CommandLineSupport

/// What a tool says of an error, and how it ends.
@Suite struct ErrorTests {
  @Test func statuses() {
    let kinds: [(CheckpointError.Kind, CommandLineSupport.ExitStatus)] = [
      (.damaged, .no), (.incomplete, .no), (.unsupported, .failure), (.missingParent, .failure),
      (.mismatch, .failure), (.io, .failure), (.refused, .failure), (.interrupted, .failure),
    ]
    for (kind, status) in kinds {
      #expect(CommandLineSupport.ExitStatus(CheckpointError(kind, "reason")) == status)
    }
    #expect([CommandLineSupport.ExitStatus.success, .no, .failure].map(\.rawValue) == [0, 1, 2])
    // A kind that is missing above.
    switch kinds[0].0 {
    case .damaged, .incomplete, .unsupported, .missingParent, .mismatch, .io, .refused,
      .interrupted:
      break
    }
  }

  @Test func messages() {
    var error = CheckpointError(
      .incomplete, "no trailer", structure: "trailer", offset: 12, file: "a.ckpt")
    #expect(error.message == "a.ckpt: byte 12: trailer: no trailer")
    error.hint = .salvage(file: "a.ckpt", pages: true)
    #expect(
      error.message
        == "a.ckpt: byte 12: trailer: no trailer; 'ckpt-verify --salvage FILE a.ckpt' rescues what can be trusted of it"
    )
    #expect(
      CheckpointError(.refused, "exists", hint: .replaceExisting).message
        == "exists; --force replaces it")
  }

  private static let hints: [Hint] = [
    .replaceExisting, .searchElsewhere, .takeAsRawMemory, .exportMemory, .exportELF,
    .exportXenServer,
    .giveConfiguration, .giveName, .salvage(file: "a.ckpt", pages: true), .keepUncertain,
    .numberImages,
    .evictWhenMerging,
    .useImage, .captureKdump, .convert(command: "makedumpfile -R FILE < a"),
    .exportWithItsTool, .useVolatility, .dumpWithVirsh,
    .captureMemoryOnly,
    .capturePaused,
    .captureDomain, .giveSqueezeSize, .captureUnsqueezed, .restoreDisks(snapshot: "snap"),
    .restoreDisks(snapshot: nil), .destroyOrClone(domain: "web"),
  ]

  /// Fails to compile when there is a hint that the list above may lack.
  private static func isKnown(_ hint: Hint) -> Bool {
    switch hint {
    case .replaceExisting, .searchElsewhere, .takeAsRawMemory, .exportMemory, .exportELF,
      .exportXenServer, .giveConfiguration, .giveName, .salvage, .keepUncertain, .numberImages,
      .evictWhenMerging,
      .useImage, .captureKdump, .convert, .exportWithItsTool, .useVolatility,
      .dumpWithVirsh, .captureMemoryOnly, .capturePaused, .captureDomain,
      .giveSqueezeSize,
      .captureUnsqueezed, .restoreDisks, .destroyOrClone:
      true
    }
  }

  @Test(arguments: hints) func hintsAreParts(of hint: Hint) {
    #expect(Self.isKnown(hint))
    // They stand behind a semicolon.
    let text = hint.text
    #expect(text.first?.isUppercase == false)
    #expect(!text.hasSuffix(".") && !text.contains(". ") && text == text.printable)
    #expect(text.split(separator: " ", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty })
  }

  private static let tools = ["capture", "merge", "verify", "restore", "inspect", "diff"]
  private static let areBuilt = tools.allSatisfy {
    unsafe access("\(Program.toolFolder)/ckpt-\($0)", X_OK) == 0
  }

  /// Every hint names an option or a program, and the tools know every option that any of them names.
  @Test(.enabled(if: areBuilt)) func hintsNameWhatThereIs() throws {
    let folder = try TestFolder()
    var help = ""
    for tool in Self.tools {
      let text = try Program.run(["\(Program.toolFolder)/ckpt-\(tool)", "--help"], in: folder)
      help += String(decoding: text, as: UTF8.self)
    }
    func options(_ text: String) -> Set<Substring> {
      Set(text.matches(of: /(?:^|[^-\w])(--[a-z][a-z-]*|-o)(?![-\w])/).map(\.output.1))
    }
    let known = options(help)
    #expect(known.count > 30 && known.contains("--force"))
    for hint in Self.hints {
      let named = options(hint.text)
      #expect(named.isSubset(of: known), "\(hint.text)")
      let programs = hint.text.matches(of: /\b(?:ckpt-([a-z]+)|xl|makedumpfile|vol|virsh)\b/)
      #expect(programs.allSatisfy { $0.output.1.map { Self.tools.contains(String($0)) } ?? true })
      let isSource = hint == .captureDomain && help.contains("xen:")
      #expect(!named.isEmpty || !programs.isEmpty || isSource, "\(hint.text)")
    }
  }
}
