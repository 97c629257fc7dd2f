// What AWS's managed policies grant.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html

extension AWSManagedPolicies {
  static let identity: [Shipped] = [
    Shipped(
      "AdministratorAccess", "Provides full access to AWS services and resources.", Grant("*")),
    Shipped(
      "IAMFullAccess", "Provides full access to IAM via the AWS Management Console.",
      Grant(
        "iam:*", "organizations:DescribeAccount", "organizations:DescribeOrganization",
        "organizations:DescribeOrganizationalUnit", "organizations:DescribePolicy", "organizations:ListChildren",
        "organizations:ListParents", "organizations:ListPoliciesForTarget", "organizations:ListRoots",
        "organizations:ListPolicies", "organizations:ListTargetsForPolicy")),
    Shipped(
      "IAMReadOnlyAccess", "Provides read only access to IAM via the AWS Management Console.",
      Grant(
        "iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails", "iam:Get*", "iam:List*",
        "iam:SimulateCustomPolicy", "iam:SimulatePrincipalPolicy")),
  ]

  private static let logs = Grant("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")

  /// For the roles of functions.
  static let streaming: [Shipped] = [
    Shipped(
      "AWSLambdaBasicExecutionRole", path: serviceRole, "Provides write permissions to CloudWatch Logs.", logs),
    Shipped(
      "AWSLambdaVPCAccessExecutionRole", path: serviceRole,
      "Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.",
      Grant(
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")),
    Shipped(
      "AWSLambdaENIManagementAccess", path: serviceRole,
      "Provides minimum permissions for a Lambda function to manage ENIs (create, describe, delete) used by a VPC-enabled Lambda Function.",
      Grant(
        "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface",
        "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses")),
    Shipped(
      "AWSLambdaSQSQueueExecutionRole", path: serviceRole,
      "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.",
      Grant(
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "logs:CreateLogGroup",
        "logs:CreateLogStream", "logs:PutLogEvents")),
    Shipped(
      "AWSLambdaKinesisExecutionRole", path: serviceRole,
      "Provides list and read access to Kinesis streams and write permissions to CloudWatch Logs.",
      Grant(
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator",
        "kinesis:ListShards", "kinesis:ListStreams", "kinesis:SubscribeToShard", "logs:CreateLogGroup",
        "logs:CreateLogStream", "logs:PutLogEvents")),
    Shipped(
      "AWSLambdaDynamoDBExecutionRole", path: serviceRole,
      "Provides list and read access to DynamoDB streams and write permissions to CloudWatch Logs.",
      Grant(
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")),
    Shipped(
      "AWSLambdaInvocation-DynamoDB", "Provides read access to DynamoDB Streams.",
      Grant("lambda:InvokeFunction"),
      Grant("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")),
    Shipped(
      "AWSLambdaMSKExecutionRole", path: serviceRole,
      "Provides permissions required to access MSK Cluster within a VPC, manage ENIs (create, describe, delete) in the VPC and write permissions to CloudWatch Logs.",
      Grant(
        "kafka:DescribeCluster", "kafka:DescribeClusterV2", "kafka:GetBootstrapBrokers", "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs", "ec2:DeleteNetworkInterface", "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")),
    Shipped(
      "AWSLambdaRole", path: serviceRole, "Default policy for AWS Lambda service role.",
      Grant("lambda:InvokeFunction")),
    Shipped(
      "AWSLambdaExecute", "Provides Put, Get access to S3 and full access to CloudWatch Logs.",
      Grant("logs:*", on: ["arn:aws:logs:*:*:*"]), Grant("s3:GetObject", "s3:PutObject", on: ["arn:aws:s3:::*"])),
    Shipped(
      "AWSLambdaBasicDurableExecutionRolePolicy", path: serviceRole,
      "Provides write permissions to CloudWatch Logs and read/write permissions to durable execution APIs used by Lambda durable functions.",
      logs, Grant("lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState")),
    Shipped(
      "AWSXRayDaemonWriteAccess",
      "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
      Grant(
        "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
        "xray:GetSamplingStatisticSummaries")),
    Shipped(
      "CloudWatchLambdaInsightsExecutionRolePolicy", "Policy required for the Lambda Insights Extension",
      Grant("logs:CreateLogGroup"),
      Grant(
        "logs:CreateLogStream", "logs:PutLogEvents", on: ["arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"])),
  ]
}
