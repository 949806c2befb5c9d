using MlNetDistill.Methods;

namespace MlNetDistill.Tests;

/// <summary>The phases of methods that lay out stages alone.</summary>
internal static class MethodStages
{
    public static IEnumerable<Stage> Stages(this DistillationMethod method, MethodContext context) => method.Phases(context).Cast<Stage>();
}
