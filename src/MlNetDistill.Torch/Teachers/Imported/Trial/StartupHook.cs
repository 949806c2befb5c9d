using MlNetDistill.Teachers;


/// <summary>
/// Runs the trial of a file: .NET calls it before <c>Main</c> in a process whose environment variable DOTNET_STARTUP_HOOKS names this assembly. .NET requires
/// that the class has no namespace.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (TrialHost.IsTrial)
            TrialChild.Run();
    }
}
