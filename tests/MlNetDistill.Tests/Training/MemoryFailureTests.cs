using System.Runtime.InteropServices;
using MlNetDistill.Fitting;

namespace MlNetDistill.Tests.Training;

/// <summary>What libtorch says where it gets no memory, in its own words for each system.</summary>
public sealed class MemoryFailureTests
{
    [TestCase("[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 1966080000 bytes. Error code 12 (Cannot allocate memory)", "The system refused 1,966,080,000 bytes for a tensor while MLP 4 was trained with BatchSize 32; this process has ")]
    [TestCase("[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: not enough memory: you tried to allocate 1966080000 bytes.", "The system refused 1,966,080,000 bytes for a tensor while MLP 4 was trained with BatchSize 32; this process has ")]
    [TestCase("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 139.81 GiB of which 11.50 MiB is free.", "The GPU has no 20.00 MiB left for a tensor while MLP 4 was trained with BatchSize 32. Lower BatchSize, ")]
    [TestCase("CUDA out of memory. Tried to allocate 512 bytes. GPU 0 has a total capacity of 139.81 GiB", "The GPU has no 512 bytes left for a tensor while ")]
    public void Each_is_explained(string text, string message)
    {
        var cause = new ExternalException(text);
        var thrown = Assert.Throws<InvalidOperationException>(() => MemoryFailure.Explain<int>("MLP 4", 32, () => throw cause))!;
        Assert.That(thrown.Message, Does.StartWith(message));
        Assert.That(thrown.InnerException, Is.SameAs(cause));
    }

    [Test]
    public void Other_errors_are_passed_on()
    {
        var cause = new ExternalException("mat1 and mat2 shapes cannot be multiplied (32x4 and 5x6)");
        Assert.That(Assert.Throws<ExternalException>(() => MemoryFailure.Explain<int>("MLP 4", 32, () => throw cause)), Is.SameAs(cause));
    }
}
