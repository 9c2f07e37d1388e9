package import CheckpointImage

extension LinuxGuest {
  /// One past the last page that the kernel has a descriptor for. What lies behind is no memory to it, as the firmware
  /// below 4 GiB.
  ///
  /// - Throws: `.refused` if the kernel does not say where its descriptors are.
  package func describedEnd() throws(CheckpointError) -> PFN {
    PFN(try DescriptorArray(of: self, DescriptorLayout(information, nil)).describedEnd)
  }
}
