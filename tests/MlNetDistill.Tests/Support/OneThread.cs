using TorchSharp;

namespace MlNetDistill.Tests;

/// <summary>Once for all tests of the assembly.</summary>
[SetUpFixture]
public sealed class OneThread
{
    /// <summary>The batches are so small that several threads would only wait for each other.</summary>
    [OneTimeSetUp]
    public void SetThreads() => torch.set_num_threads(1);
}
