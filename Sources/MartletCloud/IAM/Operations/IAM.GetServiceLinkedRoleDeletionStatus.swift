// GetServiceLinkedRoleDeletionStatus: how far the deletion of a service-linked role is; they are done at once.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html
import MartletCore
import MartletWire

extension IAM {
  enum GetServiceLinkedRoleDeletionStatus: Operation {
    static let route = Route.query("IAM.GetServiceLinkedRoleDeletionStatus")

    struct Input: Readable {
      let task: String

      init(_ r: Reader) throws(AWSError) { task = try r.body().required("DeletionTaskId", .length(1, 1000)) }
    }

    struct Output: Writable {
      func write(to w: inout Writer) { w.body { $0.member("Status", "SUCCEEDED") } }
    }

    static func answer(_ input: Input, _ call: Call, _ iam: IAMService) async throws(AWSError) -> Output {
      let parts = input.task.split(separator: "/")
      guard parts.count == 5, parts[0] == "task", parts[1] == "aws-service-role", RequestID(parts[4]) != nil else {
        throw .deletionTaskNotFound(input.task)
      }
      return Output()
    }
  }
}
