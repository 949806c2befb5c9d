using MlNetDistill.Tests;
using NUnit.Framework.Interfaces;

[assembly: StopAfterFailure]

namespace MlNetDistill.Tests;

/// <summary>
/// Ignores the tests that follow one that failed, where the environment variable MLNETDISTILL_STOP_AFTER_FAILURE is set: mutation testing asks only whether a change is noticed, and its
/// test runner goes on to the end.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class StopAfterFailureAttribute : Attribute, ITestAction
{
    private static readonly bool IsAsked = Environment.GetEnvironmentVariable("MLNETDISTILL_STOP_AFTER_FAILURE") is { Length: > 0 };
    private bool _hasFailed;

    public ActionTargets Targets => ActionTargets.Suite | ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        // The process serves many runs.
        if (test is { IsSuite: true, Parent: null })
            _hasFailed = false;
        else if (IsAsked && _hasFailed && !test.IsSuite)
            Assert.Ignore("A test before it failed.");
    }

    public void AfterTest(ITest test) => _hasFailed |= TestContext.CurrentContext.Result.Outcome.Status == TestStatus.Failed;
}
