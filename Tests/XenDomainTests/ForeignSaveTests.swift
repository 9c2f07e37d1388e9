#if Xen
internal import Testing

@testable internal import XenDomain

/// A save by somebody else is known by its process.
@Suite struct ForeignSaveTests {
  @Test func theDomainIsTheFourthArgument() {
    let words = ["/usr/lib/xen-4.17/bin/libxl-save-helper", "--save-domain", "7", "-1", "12", "1"]
    #expect(ForeignSave.isSave(words, of: 12))
    #expect(!ForeignSave.isSave(words, of: 1))
    #expect(!ForeignSave.isSave(words, of: 7))
  }

  @Test func aRestoreIsNoSave() {
    let words = ["libxl-save-helper", "--restore-domain", "7", "-1", "12", "1"]
    #expect(!ForeignSave.isSave(words, of: 12))
    #expect(!ForeignSave.isSave([], of: 12))
  }

  @Test func theWordsOfAProcessAreThoseItWasStartedWith() {
    let words = RunningProcesses.words("/proc/self")
    #expect(words == CommandLine.arguments)
    #expect(RunningProcesses.contain { RunningProcesses.words($0) == words })
    #expect(RunningProcesses.words("/proc/0").isEmpty)
  }
}
#endif
