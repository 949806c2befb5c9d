using static TorchSharp.torch;

namespace MlNetDistill.Tests;

/// <summary>
/// One thread for libtorch: on a machine whose cores are shared, steps on several threads wait for each other and take ten times as long.
/// </summary>
[SetUpFixture]
public sealed class OneThread
{
    [OneTimeSetUp]
    public void SetThreads() => set_num_threads(1);
}
