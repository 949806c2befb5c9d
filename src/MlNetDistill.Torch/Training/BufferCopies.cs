using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>Copies of what a forward pass changes in the student and in projections: running statistics.</summary>
internal sealed class BufferCopies : IDisposable
{
    private readonly (Tensor Buffer, Tensor Copy)[] _buffers;

    public BufferCopies(StageRun run)
    {
        using var noGrad = no_grad();
        var parameters = run.State.Projections!.Parameters().Select(p => p.Name).ToHashSet();
        var ofProjections = run.State.Projections.Tensors().Where(t => !parameters.Contains(t.Key)).Select(t => t.Value);
        _buffers = [.. run.Student.buffers().Concat(ofProjections).Select(buffer => (buffer, buffer.clone().DetachFromDisposeScope()))];
    }

    public void Refresh() => Copy(pair => pair.Copy, pair => pair.Buffer);

    public void Restore() => Copy(pair => pair.Buffer, pair => pair.Copy);

    public void Dispose()
    {
        foreach (var (_, copy) in _buffers)
            copy.Dispose();
    }

    private void Copy(Func<(Tensor Buffer, Tensor Copy), Tensor> to, Func<(Tensor Buffer, Tensor Copy), Tensor> from)
    {
        using var noGrad = no_grad();
        foreach (var pair in _buffers)
            to(pair).copy_(from(pair));
    }
}
