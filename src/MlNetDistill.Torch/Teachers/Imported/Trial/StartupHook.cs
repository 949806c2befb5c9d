using MlNetDistill.Teachers;


/// <summary>
/// What .NET runs before <c>Main</c> in a process whose variable DOTNET_STARTUP_HOOKS names this assembly: the trial of a file. It has no namespace because .NET
/// looks for it without one.
/// </summary>
internal static class StartupHook
{
    public static void Initialize()
    {
        if (TrialHost.IsTrial)
            TrialChild.Run();
    }
}
