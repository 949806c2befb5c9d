namespace MlNetDistill.Tests;

/// <summary>Tiny steps are slower on several threads than on one.</summary>
[SetUpFixture]
public sealed class RowsThreads
{
    [OneTimeSetUp]
    public void OneThread() => TorchSharp.torch.set_num_threads(1);
}
