// How much is made ahead of environments (docs/fast-start.md).

/// One number for all pools. Whoever finds a pool empty makes what it needs.
package struct PoolSizes: Equatable, Sendable {
  package static let range = 0...64

  /// Sandboxes of which half is made: cgroups, network, namespaces.
  package let sandboxes: Int

  package init(_ sandboxes: Int = 8) { self.sandboxes = sandboxes }

  /// Of one zygote, by demand.
  var forks: ClosedRange<Int> { min(2, sandboxes)...sandboxes }

  /// Stem cells of one kind, by demand, and mebibytes of all kinds together: each has an interpreter's memory.
  var cellsOfOneKind: ClosedRange<Int> { min(1, sandboxes)...(sandboxes + 1) / 2 }
  var cellMemory: Int { sandboxes * 60 }
}
