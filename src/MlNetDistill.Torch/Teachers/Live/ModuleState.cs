using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>What a module's outputs depend on, as far as that is visible from outside.</summary>
internal static class ModuleState
{
    /// <summary>A hash of its weights and buffers, of the types of its parts and the versions of their assemblies.</summary>
    public static string Fingerprint(nn.Module module)
    {
        using var scope = NewDisposeScope();
        return Core.Fingerprint.Compute([.. Parts("", module), .. Tensors(module)]);
    }

    private static IEnumerable<string> Parts(string name, nn.Module module) => module.named_children()
        .SelectMany(c => Parts($"{name}.{c.name}", c.module))
        .Prepend($"{name} {module.GetType().FullName} {module.GetType().Module.ModuleVersionId}");

    private static IEnumerable<string> Tensors(nn.Module module) =>
        module.named_parameters().Select(p => (p.name, value: (Tensor)p.parameter)).Concat(module.named_buffers().Select(b => (b.name, value: b.buffer)))
            .Select(t => $"{t.name} {t.value.dtype} [{string.Join(',', t.value.shape)}] {Bytes(t.value)}");

    private static string Bytes(Tensor value)
    {
        using var scope = NewDisposeScope();
        var copy = value.detach().cpu().contiguous();
        return Core.Fingerprint.Compute(copy.bytes);
    }
}
