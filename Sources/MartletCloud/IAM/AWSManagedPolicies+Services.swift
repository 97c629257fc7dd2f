// AWS's managed policies for the use of services, and for deployments.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html

extension AWSManagedPolicies {
  static let data: [Shipped] = [
    Shipped(
      "AmazonS3FullAccess", "Provides full access to all buckets via the AWS Management Console.",
      Grant("s3:*", "s3-object-lambda:*")),
    Shipped(
      "AmazonS3ReadOnlyAccess", "Provides read only access to all buckets via the AWS Management Console.",
      Grant("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*")),
    Shipped(
      "AmazonS3ObjectLambdaExecutionRolePolicy", path: serviceRole,
      "Provides AWS Lambda functions permissions to interact with Amazon S3 Object Lambda. Also grants Lambda permissions to write to CloudWatch Logs.",
      Grant(
        "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "s3-object-lambda:WriteGetObjectResponse")),
    Shipped(
      "AmazonSQSFullAccess", "Provides full access to Amazon SQS via the AWS Management Console.", Grant("sqs:*")),
    Shipped(
      "AmazonSQSReadOnlyAccess", "Provides read only access to Amazon SQS via the AWS Management Console.",
      Grant(
        "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues", "sqs:ListQueues",
        "sqs:ListMessageMoveTasks", "sqs:ListQueueTags")),
    Shipped(
      "AmazonSNSFullAccess", "Provides full access to Amazon SNS via the AWS Management Console.", Grant("sns:*")),
    Shipped(
      "AmazonSNSReadOnlyAccess", "Provides read only access to Amazon SNS via the AWS Management Console.",
      Grant(
        "sns:GetTopicAttributes", "sns:List*", "sns:CheckIfPhoneNumberIsOptedOut", "sns:GetEndpointAttributes",
        "sns:GetDataProtectionPolicy", "sns:GetPlatformApplicationAttributes", "sns:GetSMSAttributes",
        "sns:GetSMSSandboxAccountStatus", "sns:GetSubscriptionAttributes")),
    Shipped(
      "AmazonDynamoDBFullAccess", "Provides full access to Amazon DynamoDB via the AWS Management Console.",
      Grant(
        "dynamodb:*", "dax:*", "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DeregisterScalableTarget", "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingActivities", "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:PutScalingPolicy", "application-autoscaling:RegisterScalableTarget",
        "cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms",
        "cloudwatch:DescribeAlarmsForMetric", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricAlarm", "cloudwatch:GetMetricData", "ec2:DescribeVpcs", "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups", "iam:GetRole", "iam:ListRoles", "kms:DescribeKey", "kms:ListAliases",
        "sns:CreateTopic", "sns:DeleteTopic", "sns:ListSubscriptions", "sns:ListSubscriptionsByTopic",
        "sns:ListTopics", "sns:Subscribe", "sns:Unsubscribe", "sns:SetTopicAttributes", "lambda:CreateFunction",
        "lambda:ListFunctions", "lambda:ListEventSourceMappings", "lambda:CreateEventSourceMapping",
        "lambda:DeleteEventSourceMapping", "lambda:GetFunctionConfiguration", "lambda:DeleteFunction",
        "resource-groups:ListGroups", "resource-groups:ListGroupResources", "resource-groups:GetGroup",
        "resource-groups:GetGroupQuery", "resource-groups:DeleteGroup", "resource-groups:CreateGroup",
        "tag:GetResources", "kinesis:ListStreams", "kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
      Grant(
        "cloudwatch:GetInsightRuleReport", on: ["arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*"]),
      Grant(
        "iam:PassRole",
        condition:
          #"{"StringLike":{"iam:PassedToService":["application-autoscaling.amazonaws.com","application-autoscaling.amazonaws.com.cn","dax.amazonaws.com"]}}"#
      ),
      Grant(
        "iam:CreateServiceLinkedRole",
        condition:
          #"{"StringEquals":{"iam:AWSServiceName":["replication.dynamodb.amazonaws.com","dax.amazonaws.com","dynamodb.application-autoscaling.amazonaws.com","contributorinsights.dynamodb.amazonaws.com","kinesisreplication.dynamodb.amazonaws.com"]}}"#
      )),
    Shipped(
      "AmazonDynamoDBReadOnlyAccess", "Provides read only access to Amazon DynamoDB via the AWS Management Console.",
      Grant(
        "application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingActivities",
        "application-autoscaling:DescribeScalingPolicies", "cloudwatch:DescribeAlarmHistory",
        "cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarmsForMetric", "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics", "cloudwatch:GetMetricData", "dynamodb:BatchGetItem", "dynamodb:Describe*",
        "dynamodb:List*", "dynamodb:GetAbacStatus", "dynamodb:GetItem", "dynamodb:GetResourcePolicy",
        "dynamodb:Query", "dynamodb:Scan", "dynamodb:PartiQLSelect", "dax:Describe*", "dax:List*", "dax:GetItem",
        "dax:BatchGetItem", "dax:Query", "dax:Scan", "ec2:DescribeVpcs", "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups", "iam:GetRole", "iam:ListRoles", "kms:DescribeKey", "kms:ListAliases",
        "sns:ListSubscriptionsByTopic", "sns:ListTopics", "lambda:ListFunctions", "lambda:ListEventSourceMappings",
        "lambda:GetFunctionConfiguration", "resource-groups:ListGroups", "resource-groups:ListGroupResources",
        "resource-groups:GetGroup", "resource-groups:GetGroupQuery", "tag:GetResources", "kinesis:ListStreams",
        "kinesis:DescribeStream", "kinesis:DescribeStreamSummary"),
      Grant("cloudwatch:GetInsightRuleReport", on: ["arn:aws:cloudwatch:*:*:insight-rule/DynamoDBContributorInsights*"])
    ),
    Shipped(
      "AmazonKinesisFullAccess", "Provides full access to all streams via the AWS Management Console.",
      Grant("kinesis:*")),
    Shipped(
      "AmazonKinesisReadOnlyAccess", "Provides read only access to all streams via the AWS Management Console.",
      Grant("kinesis:Get*", "kinesis:List*", "kinesis:Describe*")),
    Shipped(
      "CloudWatchLogsFullAccess", "Provides full access to CloudWatch Logs", Grant("logs:*", "cloudwatch:GenerateQuery")
    ),
  ]

  static let deployment: [Shipped] = [
    Shipped(
      "AWSLambda_FullAccess",
      "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
      Grant(
        "cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:ListMetrics",
        "cloudwatch:GetMetricData", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
        "kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:*", "logs:DescribeLogGroups",
        "states:DescribeStateMachine", "states:ListStateMachines", "tag:GetResources", "xray:GetTraceSummaries",
        "xray:BatchGetTraces"),
      Grant(
        "iam:PassRole", condition: #"{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#),
      Grant(
        "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail",
        "logs:StopLiveTail", on: ["arn:aws:logs:*:*:log-group:/aws/lambda/*"])),
    Shipped(
      "AWSLambda_ReadOnlyAccess",
      "Grants read-only access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
      Grant(
        "cloudformation:DescribeStacks", "cloudformation:ListStacks", "cloudformation:ListStackResources",
        "cloudwatch:GetMetricData", "cloudwatch:ListMetrics", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets",
        "ec2:DescribeVpcs", "kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole",
        "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles",
        "logs:DescribeLogGroups", "lambda:Get*", "lambda:List*", "states:DescribeStateMachine",
        "states:ListStateMachines", "tag:GetResources", "xray:GetTraceSummaries", "xray:BatchGetTraces"),
      Grant(
        "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartLiveTail",
        "logs:StopLiveTail", on: ["arn:aws:logs:*:*:log-group:/aws/lambda/*"])),
    Shipped(
      "AWSLambdaManagedEC2ResourceOperator",
      "Grants AWS Lambda permission to manage EC2 resources of capacity providers.",
      Grant(
        "ec2:RunInstances", "ec2:CreateTags", "ec2:AttachNetworkInterface",
        on: [
          "arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:volume/*",
        ],
        condition: #"{"StringEquals":{"ec2:ManagedResourceOperator":"scaler.lambda.amazonaws.com"}}"#),
      Grant(
        "ec2:DescribeAvailabilityZones", "ec2:DescribeCapacityReservations", "ec2:DescribeInstances",
        "ec2:DescribeInstanceStatus", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"),
      Grant(
        "ec2:RunInstances", "ec2:CreateNetworkInterface",
        on: ["arn:aws:ec2:*:*:subnet/*", "arn:aws:ec2:*:*:security-group/*"]),
      Grant("ec2:RunInstances", on: ["arn:aws:ec2:*:*:image/*"], condition: #"{"StringEquals":{"ec2:Owner":"amazon"}}"#)
    ),
    Shipped(
      "AWSCodeDeployRoleForLambda", path: serviceRole,
      "Provides CodeDeploy service access to perform a Lambda deployment on your behalf.",
      Grant(
        "cloudwatch:DescribeAlarms", "lambda:UpdateAlias", "lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig",
        "sns:Publish"),
      Grant("s3:GetObject", "s3:GetObjectVersion", on: ["arn:aws:s3:::*/CodeDeploy/*"]),
      Grant(
        "s3:GetObject", "s3:GetObjectVersion",
        condition: #"{"StringEquals":{"s3:ExistingObjectTag/UseWithCodeDeploy":"true"}}"#),
      Grant("lambda:InvokeFunction", on: ["arn:aws:lambda:*:*:function:CodeDeployHook_*"])),
    Shipped(
      "AWSCodeDeployRoleForLambdaLimited", path: serviceRole,
      "Provides CodeDeploy service limited access to perform a Lambda deployment on your behalf.",
      Grant(
        "cloudwatch:DescribeAlarms", "lambda:UpdateAlias", "lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig"),
      Grant("s3:GetObject", "s3:GetObjectVersion", on: ["arn:aws:s3:::*/CodeDeploy/*"]),
      Grant(
        "s3:GetObject", "s3:GetObjectVersion",
        condition: #"{"StringEquals":{"s3:ExistingObjectTag/UseWithCodeDeploy":"true"}}"#),
      Grant("lambda:InvokeFunction", on: ["arn:aws:lambda:*:*:function:CodeDeployHook_*"])),
  ]
}
